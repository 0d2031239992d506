/**
 * The shape of a rule: its source without the string literals in it. The strict validator says the same of all rules of
 * one shape, so one of them speaks for all, and a table of 500 entries is validated in a twentieth of the time.
 *
 * INVARIANT: I3: this knows only forms whose texts the validator does not look into, which are those that the tables
 * compile to. A rule with anything else has no shape, and is validated itself.
 */
import { literal } from "./cedar-text.ts";
import type { RuleText } from "./rule-set.ts";

/** One rule of each shape, and every rule without one. */
export function telling(rules: readonly RuleText[], schema: string): readonly RuleText[] {
  // A schema can list the identifiers that a type of entities has; no schema of ours does.
  if (schema.includes("enum")) return rules;
  const seen = new Set<string>();
  return rules.filter(({ text }) => {
    const shape = ruleShape(text);
    if (shape === null) return true;
    if (seen.has(shape)) return false;
    seen.add(shape);
    return true;
  });
}

/** Two rules of one shape differ in texts alone, and have equal texts in equal places; null where that is in doubt. */
export function ruleShape(rule: string): string | null {
  const numbers = new Map<string, number>();
  const brackets: string[] = [];
  let shape = "";
  let end = 0;
  for (const { 0: quoted, index } of rule.matchAll(QUOTED)) {
    const before = rule.slice(end, index);
    end = index + quoted.length;
    if (!PLAIN.test(before) || !follow(brackets, before)) return null;
    shape += before;
    if (VERBATIM.test(before)) {
      shape += quoted;
    } else {
      if (!isCanonical(quoted) || !(FREE.test(before) || isElement(brackets, before))) return null;
      const number = numbers.get(quoted) ?? numbers.size;
      numbers.set(quoted, number);
      // No plain text has this sign, so nothing poses as a text that was left out.
      shape += `$${number}`;
    }
  }
  const rest = rule.slice(end);
  return PLAIN.test(rest) ? shape + rest : null;
}

/** One without an end goes on to the end of the rule: a search that never fails is never begun again, so it takes no longer. */
const QUOTED = /"(?:[^"\\]|\\.?)*(?:"|$)/gs;

/**
 * All that may stand between texts. Nothing here begins a comment, and nothing calculates: a rule with a shape that was
 * found valid cannot err at a decision either, whatever its texts are.
 */
const PLAIN = /^[A-Za-z0-9_ \n@()[\]{},;:.&|!=<>]*$/;

/** Names of actions have to be those of the schema, and how many operators are asked is no text of a rule. */
const VERBATIM = /(?:\bAction::|^@approval\()$/;

/** Behind these any text is as valid as any other: identifiers of entities, what a text is compared to or looked for in. */
const FREE = /(?:\b(?:Agent|Path|Program|Host|McpTool|Tool)::|(?:==|\blike) |\.contains\()$/;

/** As this package writes texts, so that texts that are spelt differently are different, and each of them is a text. */
function isCanonical(quoted: string): boolean {
  if (/^"[\x20\x21\x23-\x5b\x5d-\x7e]*"$/.test(quoted)) return true;
  const text = quoted
    .slice(1, -1)
    .replace(/\\(?:u\{(10[0-9a-f]{4}|[0-9a-f]{1,5})\}|(["\\]))/g, (_, hex, character) =>
      hex === undefined ? character : String.fromCodePoint(Number.parseInt(hex, 16)),
    );
  return text.isWellFormed() && literal(text) === quoted;
}

/** Where a list of texts begins, and not an attribute in brackets: what stands before it ends no expression. */
const LIST = /(?:[({!]|&&|\|\|) ?$/;
/** As many characters as that takes; a text of a megabyte is not looked through at each of its brackets. */
const BEFORE_LIST = 3;

/** Keeps which brackets are open, `list` for one of texts; false when they do not fit. */
function follow(brackets: string[], plain: string): boolean {
  for (const { 0: bracket, index } of plain.matchAll(/[()[\]{}]/g)) {
    const closes = CLOSES.get(bracket);
    if (closes !== undefined) {
      if (!closes.includes(brackets.pop() ?? "")) return false;
    } else {
      brackets.push(
        bracket === "[" && LIST.test(plain.slice(Math.max(0, index - BEFORE_LIST), index)) ? "list" : bracket,
      );
    }
  }
  return true;
}

const CLOSES = new Map([
  [")", ["("]],
  ["]", ["[", "list"]],
  ["}", ["{"]],
]);

const isElement = (brackets: readonly string[], before: string): boolean =>
  brackets.at(-1) === "list" && /(?:\[|, )$/.test(before);
