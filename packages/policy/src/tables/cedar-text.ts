/**
 * Writes Cedar text from data. Everything outside printable ASCII is escaped, so that look-alike and bidirectional
 * characters show as what they are, and no value can end its own literal.
 */
import assert from "node:assert/strict";

/** A Cedar string literal whose value is exactly `text`. */
export function literal(text: string): string {
  // INVARIANT: a lone surrogate has no UTF-8 form; two different texts must not become the same literal.
  assert(text.isWellFormed(), "text of a rule is well-formed Unicode");
  return `"${escapedText(text.replace(/["\\]/g, "\\$&"))}"`;
}

/**
 * Escapes a literal as somebody wrote it to ASCII: it has the same value, but nothing in it looks like anything else.
 */
export function escapedText(written: string): string {
  return written.replace(/[^\x20-\x7e]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

export function entity(type: string, id: string): string {
  return `${type}::${literal(id)}`;
}

/**
 * A set literal in a fixed order. Cedar has no empty set literal, so for that case the caller uses `isEmpty` instead.
 */
export function set(elements: readonly string[]): string {
  assert(elements.length > 0, "a set literal has an element");
  return `[${[...new Set(elements)].sort().join(", ")}]`;
}

/** `allowed ⊇ context.attribute`: holds if every element of the fact is one of the allowed texts. */
export function onlyAmong(attribute: string, allowed: readonly string[]): string {
  if (allowed.length === 0) return `context.${attribute}.isEmpty()`;
  return `${set(allowed.map(literal))}.containsAll(context.${attribute})`;
}

/**
 * Joins the conditions as a balanced tree: the engine's stack holds only few operands of a chain, but a tree with more
 * levels than any policy needs.
 */
export function anyOf(conditions: readonly string[]): string {
  if (conditions.length <= 2) return conditions.join(" || ");
  const half = Math.ceil(conditions.length / 2);
  return `(${anyOf(conditions.slice(0, half))}) || (${anyOf(conditions.slice(half))})`;
}

export interface PolicyParts {
  readonly effect: "permit" | "forbid";
  /** Names of the actions. There must be at least one, or the rule could never apply. */
  readonly actions: readonly string[];
  /** Name of the one agent that the rule is about; absent if it is about everybody. */
  readonly principal?: string;
  /** What follows the word `resource` in the scope, for example `in Path::"/ws"`; absent for any resource. */
  readonly resource?: string;
  readonly clause?: { readonly kind: "when" | "unless"; readonly condition: string };
  /** How many operators have to say yes. A permit holds only after that, a forbid only until then. */
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
