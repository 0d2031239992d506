/**
 * The shape of a rule: its source without its string literals. The strict validator says the same of all rules of one
 * shape, so one of them speaks for all, and a table of 500 entries is validated in a twentieth of the time.
 *
 * INVARIANT: I3: this knows only forms whose texts the validator does not examine, which are the forms that tables
 * compile to. A rule with anything else has no shape, and is validated itself.
 */
import { literal } from "../tables/cedar-text.ts";
import type { RuleText } from "./rule-set.ts";

/** One rule of each shape, and every rule without a shape. */
export function telling(rules: readonly RuleText[], schema: string): readonly RuleText[] {
  // A schema can list the identifiers of an entity type; none of ours does.
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

/**
 * Two rules of one shape differ only in their texts, and have equal texts in equal places. Null if that is in doubt.
 */
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
      // No plain text contains this sign, so nothing can pose as a text that was left out.
      shape += `$${number}`;
    }
  }
  const rest = rule.slice(end);
  return PLAIN.test(rest) ? shape + rest : null;
}

/**
 * A literal without an end extends to the end of the rule: because the search never fails, it never starts over, and
 * its time stays linear.
 */
const QUOTED = /"(?:[^"\\]|\\.?)*(?:"|$)/gs;

/**
 * Everything that may stand between texts. None of it begins a comment or calculates, so a rule whose shape was found
 * valid cannot err in a decision either, whatever its texts are.
 */
const PLAIN = /^[A-Za-z0-9_ \n@()[\]{},;:.&|!=<>]*$/;

/**
 * Texts that belong to the shape: action names must be those of the schema, and the number of operators is a setting
 * rather than a text of the rule.
 */
const VERBATIM = /(?:\bAction::|^@approval\()$/;

/**
 * After these, any text is as valid as any other: identifiers of entities, and texts that are compared or looked for.
 */
const FREE = /(?:\b(?:Agent|Path|Program|Host|McpTool|Tool)::|(?:==|\blike) |\.contains\()$/;

/**
 * Whether a literal is spelt as this package spells literals. Then different spellings are different texts, and each
 * literal is a valid text.
 */
function isCanonical(quoted: string): boolean {
  if (/^"[\x20\x21\x23-\x5b\x5d-\x7e]*"$/.test(quoted)) return true;
  const text = quoted
    .slice(1, -1)
    .replace(/\\(?:u\{(10[0-9a-f]{4}|[0-9a-f]{1,5})\}|(["\\]))/g, (_, hex, character) =>
      hex === undefined ? character : String.fromCodePoint(Number.parseInt(hex, 16)),
    );
  return text.isWellFormed() && literal(text) === quoted;
}

/**
 * Matches before a bracket that begins a list of texts, and not an attribute access: what stands before a list ends no
 * expression.
 */
const LIST = /(?:[({!]|&&|\|\|) ?$/;
/** The number of characters that `LIST` needs, so that a text of a megabyte is not searched at each of its brackets. */
const BEFORE_LIST = 3;

/** Tracks the open brackets, with `list` for a list of texts. False if they do not match. */
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
