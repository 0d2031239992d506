/** Reads tests from `policy/*.test.toml`, or reports everything in these files that is no test. */
import type { JsonObject } from "@femtoclaw/capabilities";
import { historyContext, NO_HISTORY, type PolicyFile } from "@femtoclaw/policy/live";
import {
  type CapabilityManifest,
  type DeclaredArgument,
  FemtoError,
  type HistoryFacts,
  type JsonValue,
  jsonPointer,
  nearestName,
  pointerTokens,
  printable,
} from "@femtoclaw/protocol";
import type { SourceOf } from "@femtoclaw/runtime/configuration";
import { readToml } from "../configuration/read-toml.ts";
import { OUTCOMES, type Outcome, type PolicyTest } from "./policy-test.ts";
import { testedManifest } from "./tested-manifest.ts";

/** LIMIT: tests of one policy, because every start decides each of them. */
const TESTS_MAX = 1_000;

/** Throws FEMTO_POLICY_INVALID with the position of each fault, FEMTO_CONFIG_SYNTAX if a file is not TOML. */
export function readPolicyTests(
  files: readonly PolicyFile[],
  manifests: readonly CapabilityManifest[],
): readonly PolicyTest[] {
  const reader = new Reader(manifests);
  for (const { name, bytes, readFrom = name } of files) reader.read(bytes, `policy/${printable(readFrom)}`);
  if (reader.tests.length > TESTS_MAX) reader.faults.push(`policy: there are more than ${TESTS_MAX} tests`);
  if (reader.faults.length > 0) throw new FemtoError("FEMTO_POLICY_INVALID", reader.faults.join("\n"));
  return reader.tests;
}

type Path = readonly (string | number)[];

class Reader {
  readonly tests: PolicyTest[] = [];
  readonly faults: string[] = [];
  readonly #manifests: readonly CapabilityManifest[];
  #sourceOf: SourceOf = (pointer) => pointer;

  constructor(manifests: readonly CapabilityManifest[]) {
    this.#manifests = manifests;
  }

  read(bytes: Uint8Array, name: string): void {
    const { value, faults, sourceOf } = readToml(bytes, name);
    this.#sourceOf = sourceOf;
    for (const { pointer, message } of faults) this.faults.push(`${sourceOf(pointer)}: ${message}`);
    if (faults.length > 0) return;
    const top = this.#table(value, [], ["case", "tool"]);
    const cases = top["case"] ?? [];
    if (!Array.isArray(cases)) return this.#fault(["case"], "expected [[case]]");
    for (const [index, item] of cases.entries()) this.#readCase(item, ["case", index]);
    for (const [tool, examples] of Object.entries(this.#table(top["tool"] ?? {}, ["tool"], null))) {
      this.#readExamples(tool, examples, ["tool", tool]);
    }
  }

  #readCase(value: JsonValue, path: Path): void {
    const item = this.#table(value, path, ["name", "agent", "call", "facts", "history", "expect", "rule"]);
    const call = this.#table(item["call"] ?? {}, [...path, "call"], ["tool", "args"]);
    const name = this.#text(item["name"], [...path, "name"], "a name for the test");
    const tool = this.#text(call["tool"], [...path, "call", "tool"], "the name of a capability");
    const expect = this.#text(item["expect"], [...path, "expect"], '"allow", "ask" or "deny"');
    const rule =
      item["rule"] === undefined ? null : this.#text(item["rule"], [...path, "rule"], "the identifier of a rule");
    const agent =
      item["agent"] === undefined ? null : this.#text(item["agent"], [...path, "agent"], "the name of an agent");
    const history = this.#history(item["history"] ?? {}, [...path, "history"]);
    const args = this.#table(call["args"] ?? {}, [...path, "call", "args"], this.#argumentNames(tool));
    const facts = this.#table(item["facts"] ?? {}, [...path, "facts"], null);
    if (!this.#isTool(tool, [...path, "call", "tool"])) return;
    if (!isOutcome(expect)) return this.#fault([...path, "expect"], '"allow", "ask" or "deny" is expected');
    const source = this.#sourceOf(jsonPointer(path));
    this.tests.push({ name, source, tool, args, facts, history, agent, expected: [expect], rule });
  }

  #readExamples(tool: string, value: JsonValue, path: Path): void {
    const item = this.#table(value, path, ["match", "not_match"]);
    if (!this.#isTool(tool, path)) return;
    for (const [key, expected] of [
      ["match", ["allow"]],
      ["not_match", ["ask", "deny"]],
    ] as const) {
      const examples = item[key] ?? [];
      if (!Array.isArray(examples)) return this.#fault([...path, key], "a list of calls is expected");
      for (const [index, example] of examples.entries()) {
        const args = this.#exampleArguments(tool, example, [...path, key, index]);
        const source = this.#sourceOf(jsonPointer([...path, key, index]));
        const name = `${tool} ${JSON.stringify(example)}`;
        if (args === null) continue;
        this.tests.push({ name, source, tool, args, facts: {}, history: {}, agent: null, expected, rule: null });
      }
    }
  }

  #history(value: JsonValue, path: Path): Partial<HistoryFacts> {
    const history = this.#table(value, path, Object.keys(NO_HISTORY));
    const whole = historyContext({ ...NO_HISTORY, ...history } as HistoryFacts);
    if (!whole.ok) this.#fault(path, whole.fault);
    return history as Partial<HistoryFacts>;
  }

  /** A text is the path or program, a list is a program with its arguments, a table has all arguments by name. */
  #exampleArguments(tool: string, example: JsonValue, path: Path): JsonObject | null {
    if (isTable(example)) return this.#table(example, path, this.#argumentNames(tool));
    const declared = (testedManifest(tool, this.#manifests)?.arguments ?? []).filter(({ kind }) => kind !== "size");
    const [only, ...others] = declared;
    const name = only === undefined || others.length > 0 ? undefined : singleName(only.pointer);
    if (name === undefined || only === undefined) {
      this.#fault(path, `a table with the arguments of ${tool} is expected`);
      return null;
    }
    if (typeof example === "string") return { [name]: example };
    const texts = Array.isArray(example) ? example.filter((text) => typeof text === "string") : [];
    const argv = only.kind === "program" ? singleName(only.argv) : undefined;
    if (argv === undefined || !Array.isArray(example) || texts.length === 0 || texts.length < example.length) {
      const expected = EXPECTED[only.kind];
      this.#fault(path, `${expected} is expected, or a table with the arguments of ${tool}`);
      return null;
    }
    const [program = "", ...rest] = texts;
    return { [name]: program, [argv]: rest };
  }

  #isTool(tool: string, path: Path): boolean {
    if (tool === "") return false;
    if (testedManifest(tool, this.#manifests) !== undefined) return true;
    this.#fault(
      path,
      `no capability is called \`${printable(tool)}\`${hint(
        tool,
        this.#manifests.map(({ name }) => name),
      )}`,
    );
    return false;
  }

  #argumentNames(tool: string): readonly string[] | null {
    const properties = testedManifest(tool, this.#manifests)?.input["properties"];
    return isTable(properties) ? Object.keys(properties) : null;
  }

  /** `keys` are the allowed keys; null allows any. */
  #table(value: JsonValue, path: Path, keys: readonly string[] | null): JsonObject {
    if (!isTable(value)) {
      this.#fault(path, "a table is expected");
      return {};
    }
    for (const key of Object.keys(value)) {
      if (keys === null || keys.includes(key)) continue;
      this.#fault([...path, key], `unknown key \`${printable(key, 60)}\`${hint(key, keys)}`);
    }
    return value;
  }

  #text(value: JsonValue | undefined, path: Path, expected: string): string {
    if (typeof value === "string" && value !== "") return value;
    this.#fault(path, `\`${path.at(-1)}\` is missing: ${expected} is expected`);
    return "";
  }

  #fault(path: Path, message: string): void {
    this.faults.push(`${this.#sourceOf(jsonPointer(path))}: ${message}`);
  }
}

/** What to write for a call with this kind of argument. */
const EXPECTED: Readonly<Record<DeclaredArgument["kind"], string>> = {
  path: "a path",
  program: "a program, or a list of it and its arguments,",
  host: "a URL",
  terminal: "a terminal",
  mcp_tool: "a table with its arguments",
  size: "a text",
};

/** `path` for `/path`; undefined for a deeper pointer or none. */
function singleName(pointer: string | undefined): string | undefined {
  const [name, ...deeper] = pointer === undefined ? [] : pointerTokens(pointer);
  return deeper.length === 0 ? name : undefined;
}

function isOutcome(text: string): text is Outcome {
  return (OUTCOMES as readonly string[]).includes(text);
}

function isTable(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function hint(written: string, known: readonly string[]): string {
  const nearest = nearestName(written, known);
  return nearest === undefined ? `; known here: ${known.join(", ")}` : `; did you mean \`${nearest}\`?`;
}
