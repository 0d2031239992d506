/**
 * Checks a configuration against its schema and reports every fault at once, each with its place, what was expected
 * there and, for an unknown key, the known one that was probably meant.
 */
import {
  type Configuration,
  jsonPointer,
  nearestName,
  pointerTokens,
  printable,
  type ValidationError,
  validateConfig,
} from "@femtoclaw/protocol";
import { describeFound, expectedAt, expectedKeyAt, knownKeys } from "./configuration-schema.ts";

/** One fault of a configuration. */
export interface ConfigurationFault {
  /** JSON pointer into the configuration. */
  readonly pointer: string;
  /** In lower case, without a full stop. */
  readonly message: string;
}

/** LIMIT: faults reported of one configuration; nobody mends more at a time. */
const FAULTS_MAX = 50;

/** The faults of a value as a configuration, at most 50. Without faults, the value is a `Configuration`. */
export function configurationFaults(value: unknown): readonly ConfigurationFault[] {
  // The validator stops at its first finding. So each finding is reported and removed from a copy, until the rest is
  // valid.
  const draft = new Draft(value);
  const faults: ConfigurationFault[] = [];
  while (faults.length < FAULTS_MAX && !validateConfig(draft.value)) {
    const { tokens, message } = explain(validateConfig.errors ?? [], draft);
    const pointer = draft.originalPointer(tokens);
    // A choice that lost its faulty part matches no branch any more, which is not a fault of its own.
    const isEcho = faults.some((fault) => fault.pointer.startsWith(`${pointer}/`));
    if (!isEcho) faults.push({ pointer, message });
    if (!draft.remove(tokens)) break;
  }
  return faults;
}

/** Whether a value matches the schema of configurations. */
export function isConfiguration(value: unknown): value is Configuration {
  return validateConfig(value);
}

interface PlacedMessage {
  readonly tokens: readonly string[];
  readonly message: string;
}

function explain(errors: readonly ValidationError[], draft: Draft): PlacedMessage {
  const last = errors.at(-1);
  const tokens = pointerTokens(last?.instancePath ?? "");
  if (last?.keyword === "propertyNames") {
    const key = String(last.params["propertyName"]);
    const message = `the key \`${printable(key, 60)}\` is not possible here: expected ${expectedKeyAt(tokens)}`;
    return { tokens: [...tokens, key], message };
  }
  if (last?.keyword === "required") {
    return { tokens, message: `the key \`${last.params["missingProperty"]}\` is missing here` };
  }
  if (last?.keyword === "oneOf" || last?.keyword === "additionalProperties") {
    const known = knownKeys(tokens);
    const unknown = known.length === 0 ? undefined : draft.keysAt(tokens).find((key) => !known.includes(key));
    if (unknown !== undefined) return { tokens: [...tokens, unknown], message: unknownKey(unknown, known) };
  }
  // Of the branches of a choice, the one that got furthest is the one that was meant.
  const deepest = errors.find((error) => error.instancePath.length > (last?.instancePath.length ?? 0));
  if (deepest !== undefined) return explain([deepest], draft);
  const value = draft.at(tokens);
  const found = TOO_MANY.has(last?.keyword ?? "") ? String(Object.keys(Object(value)).length) : describeFound(value);
  return { tokens, message: `expected ${expectedAt(tokens)}; found ${found}` };
}

/** Where the kind of the value is right, only its size says what is wrong. */
const TOO_MANY: ReadonlySet<string> = new Set(["maxItems", "maxProperties"]);

function unknownKey(key: string, known: readonly string[]): string {
  const nearest = nearestName(key, known);
  const hint = nearest === undefined ? `known here: ${known.join(", ")}` : `did you mean \`${nearest}\`?`;
  return `unknown key \`${printable(key, 60)}\`; ${hint}`;
}

/** A copy from which faulty parts are removed while the original places of the rest stay known. */
class Draft {
  readonly value: unknown;
  /** For each list of the copy, the indices that its items have in the original. */
  readonly #indices = new WeakMap<readonly unknown[], number[]>();

  constructor(value: unknown) {
    this.value = this.#copy(value);
  }

  at(tokens: readonly string[]): unknown {
    return tokens.reduce<unknown>((value, token) => (isTable(value) ? value[token] : undefined), this.value);
  }

  keysAt(tokens: readonly string[]): readonly string[] {
    const value = this.at(tokens);
    return isTable(value) && !Array.isArray(value) ? Object.keys(value) : [];
  }

  originalPointer(tokens: readonly string[]): string {
    return jsonPointer(
      tokens.map((token, depth) => {
        const holder = this.at(tokens.slice(0, depth));
        return Array.isArray(holder) ? (this.#indices.get(holder)?.[Number(token)] ?? token) : token;
      }),
    );
  }

  /** False if there is nothing left to remove. */
  remove(tokens: readonly string[]): boolean {
    const last = tokens.at(-1);
    if (last === undefined) return false;
    const holder = this.at(tokens.slice(0, -1));
    if (Array.isArray(holder)) {
      // A list that loses its last item would be reported again for being empty.
      if (holder.length === 1) return this.remove(tokens.slice(0, -1));
      holder.splice(Number(last), 1);
      this.#indices.get(holder)?.splice(Number(last), 1);
      return true;
    }
    return isTable(holder) && Object.hasOwn(holder, last) && delete holder[last];
  }

  #copy(value: unknown): unknown {
    if (Array.isArray(value)) {
      const list = value.map((item) => this.#copy(item));
      this.#indices.set(
        list,
        list.map((_, index) => index),
      );
      return list;
    }
    if (!isTable(value)) return value;
    const table: Record<string, unknown> = Object.create(null);
    for (const [key, item] of Object.entries(value)) table[key] = this.#copy(item);
    return table;
  }
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
