/**
 * Writes Cedar text from data. Everything outside printable ASCII is escaped, so that a rule shows
 * look-alike and bidirectional characters for what they are, and no value can end its own literal.
 */
import assert from "node:assert/strict";

/** A Cedar string literal whose value is exactly `text`. */
export function literal(text: string): string {
  // INVARIANT: a lone surrogate has no UTF-8 form; two texts that differ must not become one literal.
  assert(text.isWellFormed(), "text of a rule is well-formed Unicode");
  return `"${escapedText(text.replace(/["\\]/g, "\\$&"))}"`;
}

/** A literal as somebody wrote it, in ASCII: the same text, but nothing in it looks like anything else. */
export function escapedText(written: string): string {
  return written.replace(/[^\x20-\x7e]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

export function entity(type: string, id: string): string {
  return `${type}::${literal(id)}`;
}

/** A set literal in a fixed order. Cedar has no empty set literal: the caller asks `isEmpty` instead. */
export function set(elements: readonly string[]): string {
  assert(elements.length > 0, "a set literal has an element");
  return `[${[...new Set(elements)].sort().join(", ")}]`;
}

/** `allowed ⊇ context.attribute`: holds when every element of the fact is one of the allowed texts. */
export function onlyAmong(attribute: string, allowed: readonly string[]): string {
  if (allowed.length === 0) return `context.${attribute}.isEmpty()`;
  return `${set(allowed.map(literal))}.containsAll(context.${attribute})`;
}

/** As a balanced tree: the engine's stack holds few operands of a chain, and many levels of a tree of all that are possible. */
export function anyOf(conditions: readonly string[]): string {
  if (conditions.length <= 2) return conditions.join(" || ");
  const half = Math.ceil(conditions.length / 2);
  return `(${anyOf(conditions.slice(0, half))}) || (${anyOf(conditions.slice(half))})`;
}

export interface PolicyParts {
  readonly effect: "permit" | "forbid";
  /** Names of the actions; at least one, else the rule could never apply. */
  readonly actions: readonly string[];
  /** Name of the one agent that the rule is about; absent for everybody. */
  readonly principal?: string;
  /** What follows the word `resource` in the scope, for example `in Path::"/ws"`; absent for any. */
  readonly resource?: string;
  readonly clause?: { readonly kind: "when" | "unless"; readonly condition: string };
  /** How many operators have to say yes: a permit holds only after it, a forbid until then. */
  readonly approval?: number;
}

export function policyText({ effect, actions, principal, resource, clause, approval }: PolicyParts): string {
  const [first, ...others] = actions.map((action) => entity("Action", action));
  assert(first !== undefined, "a rule applies to an action");
  const action = others.length === 0 ? `action == ${first}` : `action in ${set([first, ...others])}`;
  const who = principal === undefined ? "principal" : `principal == ${entity("Agent", principal)}`;
  const scope = `${effect} (${who}, ${action}, ${resource === undefined ? "resource" : `resource ${resource}`})`;
  const clauses = clause === undefined ? [] : [`${clause.kind} { ${clause.condition} }`];
  if (approval === undefined) return `${[scope, ...clauses].join("\n")};`;
  const approved = `${effect === "permit" ? "when" : "unless"} { context.approved }`;
  return `${[`@approval("${approval}")`, scope, ...clauses, approved].join("\n")};`;
}
