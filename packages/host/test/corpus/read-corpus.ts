/** The corpus of attacks: TOML files in packages/policy/test/corpus, strictly read, each case with its place. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { JsonValue } from "@femtoclaw/protocol";
import { Ajv2020 } from "ajv/dist/2020.js";
import { readToml } from "../../src/configuration/read-toml.ts";

const FOLDER = resolve(import.meta.dirname, "../../../policy/test/corpus");

type Texts = Readonly<Record<string, string>>;
export type Moves = readonly (readonly [from: string, to: string])[];

/** `done`, `contained`, `asks`, or an error code. */
export type Expectation = string;

export interface CallCase {
  readonly title: string;
  /** File and line. */
  readonly source: string;
  readonly expect: Expectation;
  readonly read?: string;
  readonly list?: string;
  readonly create?: string;
  readonly overwrite?: string;
  readonly append?: string;
  readonly run?: readonly string[];
  readonly env?: Texts;
  readonly cwd?: string;
  readonly stdin?: string;
  readonly tool?: string;
  readonly args?: Readonly<Record<string, JsonValue>>;
  readonly message?: string;
  readonly base64?: string;
  readonly before?: Moves;
  readonly between?: Moves;
  readonly rule?: string;
  readonly shows?: string;
  readonly changes?: readonly string[];
}

/** What stands on the disk before the first case. */
export interface Layout {
  readonly files?: Texts;
  readonly folders?: readonly string[];
  readonly links?: Texts;
  readonly hard_links?: Texts;
  readonly pipes?: readonly string[];
  readonly programs?: readonly string[];
  readonly traps?: readonly string[];
  readonly names?: Texts;
}

export interface CallSuite extends Layout {
  readonly title: string;
  readonly configuration: string;
  readonly outside?: readonly string[];
  readonly cases: readonly CallCase[];
}

export interface ConfigurationCase {
  readonly title: string;
  readonly source: string;
  readonly expect: Expectation;
  readonly toml: string;
  readonly files?: Texts;
  readonly says?: string;
}

export interface ConfigurationSuite extends Layout {
  readonly title: string;
  readonly found?: boolean;
  readonly cases: readonly ConfigurationCase[];
}

export const readCallSuites = (): CallSuite[] => suitesOf("calls") as CallSuite[];
export const readConfigurationSuites = (): ConfigurationSuite[] => suitesOf("configurations") as ConfigurationSuite[];

/** For tables of tests, whose own formatting would cut titles short. */
export function titled<T extends { readonly title: string; readonly source?: string }>(
  all: readonly T[],
): [string, T][] {
  return all.map((one) => [one.source === undefined ? one.title : `${one.title} (${one.source})`, one]);
}

interface RawSuite {
  readonly expect?: Expectation;
  readonly cases: readonly { readonly expect?: Expectation }[];
}

/** A mistake in a file is an error with its place: a case that is passed over in silence would prove nothing. */
function suitesOf(kind: "calls" | "configurations"): unknown[] {
  const schema: unknown = JSON.parse(readFileSync(join(FOLDER, `${kind}.schema.json`), "utf8"));
  const validate = new Ajv2020({ allowUnionTypes: true, strictRequired: false }).compile(schema as object);
  const names = readdirSync(join(FOLDER, kind)).filter((name) => name.endsWith(".toml"));
  return names.sort().map((name) => {
    const { value, faults, sourceOf } = readToml(readFileSync(join(FOLDER, kind, name)), name);
    // Ajv takes an object without a prototype for none with members of its own.
    const suite = JSON.parse(JSON.stringify(value)) as unknown;
    const errors = validate(suite) ? [] : (validate.errors ?? []);
    const found = [
      ...faults.map(({ pointer, message }) => `${sourceOf(pointer)}: ${message}`),
      ...errors.map(({ instancePath, message, params }) => {
        return `${sourceOf(instancePath)}: ${message ?? ""} ${JSON.stringify(params)}`;
      }),
    ];
    if (found.length > 0) throw new Error(found.join("\n"));
    return withPlaces(suite as RawSuite, sourceOf);
  });
}

function withPlaces(suite: RawSuite, sourceOf: (pointer: string) => string): unknown {
  const cases = suite.cases.map((one, index) => {
    const source = sourceOf(`/cases/${index}`);
    const expect = one.expect ?? suite.expect;
    if (expect === undefined) throw new Error(`${source}: neither the case nor its file says what is expected`);
    return { ...one, source, expect };
  });
  return { ...suite, cases };
}
