/** The schema that an MCP server gives for arguments, and what is made of it once for all that is checked against it. */
import { pointerTokens } from "@femtoclaw/protocol";
import { canonicalJson } from "./canonical-json.ts";

export type Schema = boolean | Readonly<Record<string, unknown>>;

interface ListedValues {
  readonly values: readonly unknown[];
  /** The same as canonical JSON. */
  readonly texts: ReadonlySet<string>;
}

/**
 * What is made of a schema once and not for each value. INVARIANT: I9: a definition is tens of thousands of characters
 * long, and a check gets to the same part of it as often as it has steps: what a step does never depends on that length.
 */
export class PreparedSchema {
  readonly root: Schema;
  readonly #targets = new Map<string, Schema | null>();
  readonly #listed = new WeakMap<object, ListedValues>();

  constructor(root: Schema) {
    this.root = root;
  }

  /** Null for what the reference does not lead to. */
  target(ref: string): Schema | null {
    const known = this.#targets.get(ref);
    if (known !== undefined) return known;
    const found = schemaAt(this.root, ref);
    this.#targets.set(ref, found);
    return found;
  }

  /** The values that a part of it lists; null where it lists none. */
  valuesOf(part: Exclude<Schema, boolean>): ListedValues | null {
    const values: unknown = Object.hasOwn(part, "const") ? [part["const"]] : part["enum"];
    if (!Array.isArray(values)) return null;
    const known = this.#listed.get(part);
    if (known !== undefined) return known;
    const listed = { values, texts: new Set(values.map((one) => canonicalJson(one))) };
    this.#listed.set(part, listed);
    return listed;
  }
}

/** Null for what the reference does not lead to within the schema. */
export function schemaAt(root: Schema, ref: string): Schema | null {
  if (ref === "#") return root;
  if (!ref.startsWith("#/")) return null;
  let at: unknown = root;
  try {
    for (const token of pointerTokens(decodeURIComponent(ref.slice(1)))) {
      if (typeof at !== "object" || at === null || !Object.hasOwn(at, token)) return null;
      at = (at as Record<string, unknown>)[token];
    }
  } catch {
    return null;
  }
  return typeof at === "boolean" || isObject(at) ? at : null;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
