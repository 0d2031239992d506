/** The input schema of an MCP server's tool, with what is computed from it once for all checks. */
import { pointerTokens } from "@femtoclaw/protocol";
import { type BoundedPattern, boundedPattern } from "./bounded-pattern.ts";
import { canonicalJson } from "./canonical-json.ts";
import { areSlowToCompile } from "./pattern-cost.ts";

export type Schema = boolean | Readonly<Record<string, unknown>>;

interface ListedValues {
  readonly values: readonly unknown[];
  /** The same values as canonical JSON. */
  readonly texts: ReadonlySet<string>;
}

/**
 * Computes what depends on the schema alone, once. INVARIANT: I9: a schema may have tens of thousands of characters,
 * and a check may reach the same part of it in every step, so the cost of a step must not depend on the schema's
 * length.
 */
export class PreparedSchema {
  readonly root: Schema;
  readonly #targets = new Map<string, Schema | null>();
  readonly #listed = new WeakMap<object, ListedValues>();
  readonly #patterns = new Map<string, BoundedPattern | null>();
  #isSlow: boolean | null = null;

  constructor(root: Schema) {
    this.root = root;
  }

  /** Null if the reference leads nowhere. */
  target(ref: string): Schema | null {
    const known = this.#targets.get(ref);
    if (known !== undefined) return known;
    const found = schemaAt(this.root, ref);
    this.#targets.set(ref, found);
    return found;
  }

  /**
   * Null for an expression that is not matched, because it is invalid or its worst case cannot be told. If all
   * expressions of the schema take too long to compile, none of them is matched, whichever is needed first.
   */
  pattern(source: string): BoundedPattern | null {
    const known = this.#patterns.get(source);
    if (known !== undefined) return known;
    this.#isSlow ??= areSlowToCompile(this.root);
    const found = this.#isSlow ? null : boundedPattern(source);
    this.#patterns.set(source, found);
    return found;
  }

  /** The values listed by a part of the schema; null if it lists none. */
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

/** Null if the reference does not lead to a schema within this one. */
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
