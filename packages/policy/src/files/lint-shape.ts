/**
 * Finds what Cedar's validator takes although its engine does not, or what nobody meant to write: expressions that
 * trap, numbers that overflow, conditions that contradict themselves, and texts that no fact ever holds.
 */
import { canonicalHost, type HostQuestion, mcpValueText, parseJson, printable } from "@femtoclaw/protocol";
import { isCanonicalPath } from "../tables/canonical-path.ts";
import {
  type Expression,
  expressionsOf,
  factName,
  isVariable,
  operation,
  type ParsedPolicy,
  termsOf,
  textLiterals,
} from "./expression.ts";

/** LIMIT: nested expressions, where a chain of one operator counts once; the engine traps beyond some hundred. */
const DEPTH_MAX = 32;
/** LIMIT: operands of one chain; at 400 the engine traps, and only when a call is decided. */
const CHAIN_OPERANDS_MAX = 100;

export function shapeFindings(policy: ParsedPolicy): string[] {
  const size = policy.conditions.map(({ body }) => sizeFinding(body)).find((finding) => finding !== null);
  // A policy that is too large is not examined further, because the rest of lint is recursive too.
  if (size !== undefined) return [size];
  return [
    ...overflowFindings(policy),
    ...contradictions(policy),
    ...literalFindings(policy),
    ...[...expressionsOf(policy)].flatMap(patternFindings),
  ];
}

/** LIMIT: characters and wildcards of a pattern. An agent chooses the text, and the work grows with their product. */
const PATTERN_CHARS_MAX = 256;
const PATTERN_WILDCARDS_MAX = 8;

function patternFindings(expression: Expression): string[] {
  const like = expression["like"] as { readonly pattern: readonly unknown[] } | undefined;
  const wildcards = like?.pattern.filter((element) => element === "Wildcard").length ?? 0;
  if (like === undefined || (like.pattern.length <= PATTERN_CHARS_MAX && wildcards <= PATTERN_WILDCARDS_MAX)) return [];
  return [`a pattern has more than ${PATTERN_CHARS_MAX} characters or ${PATTERN_WILDCARDS_MAX} wildcards`];
}

const CHAINS = ["&&", "||", "+", "-", "*"] as const;

/** Works without recursion, because the expressions that it looks for would overflow the stack. */
function sizeFinding(root: Expression): string | null {
  const open = [{ expression: root, depth: 0, chain: 1, above: "" }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { name, operands } = operation(next.expression);
    const isChain = (CHAINS as readonly string[]).includes(name);
    const chain = isChain && name === next.above ? next.chain + 1 : 1;
    const depth = chain > 1 ? next.depth : next.depth + 1;
    if (chain >= CHAIN_OPERANDS_MAX) {
      return `a chain of \`${name}\` has more than ${CHAIN_OPERANDS_MAX} operands; write a list: [..].contains(..), or resource in [..]`;
    }
    if (depth > DEPTH_MAX) return `the condition is nested deeper than ${DEPTH_MAX} levels; split the policy`;
    open.push(...operands.map((expression) => ({ expression, depth, chain, above: name })));
  }
  return null;
}

/** Facts are integers that JavaScript holds exactly, and the engine counts in 64 bits. */
const FACT_MAX = 2 ** 53;
const LONG_MAX = 2 ** 63;
const ARITHMETIC = ["+", "-", "*", "neg"];

function overflowFindings(policy: ParsedPolicy): string[] {
  const overflows = [...expressionsOf(policy)].some(
    (expression) => ARITHMETIC.includes(operation(expression).name) && largest(expression) >= LONG_MAX,
  );
  return overflows
    ? [
        "this arithmetic can overflow, and a policy that errs denies every call that it looks at; compare smaller numbers",
      ]
    : [];
}

/** The largest magnitude that the number can have. */
function largest(expression: Expression): number {
  const { name, operands, value } = operation(expression);
  const [first = 0, second = 0] = ARITHMETIC.includes(name) ? operands.map(largest) : [];
  switch (name) {
    case "Value":
      return typeof value === "number" ? Math.abs(value) : 0;
    case "+":
    case "-":
      return first + second;
    case "*":
      return first * second;
    case "neg":
      return first;
    case "if-then-else":
      return Math.max(...operands.slice(1).map(largest));
    case ".":
      return FACT_MAX;
    default:
      return 0;
  }
}

function contradictions(policy: ParsedPolicy): string[] {
  const chains = [...expressionsOf(policy)].flatMap((expression) => {
    const { name } = operation(expression);
    return name === "&&" || name === "||" ? [termsOf(name, expression).map((term) => canonical(term))] : [];
  });
  const found = [allConditions(policy), ...chains].some((terms) =>
    terms.some((term) => terms.includes(opposite(term))),
  );
  const doubled = allEqualities(policy);
  return [
    ...(found ? ["a condition stands beside its own opposite, so one of them decides nothing"] : []),
    ...doubled.map(
      (fact) => `\`context.${printable(fact)}\` cannot equal two texts at once, so the policy never applies`,
    ),
  ];
}

/** Everything that must hold: the terms of `when`, and the opposites of the alternatives of `unless`. */
function allConditions({ conditions }: ParsedPolicy): string[] {
  return conditions.flatMap(({ kind, body }) =>
    kind === "when"
      ? termsOf("&&", body).map((term) => canonical(term))
      : termsOf("||", body).map((term) => opposite(canonical(term))),
  );
}

/** One spelling for an expression and its negations. */
function canonical(expression: Expression): string {
  const { name, operands } = operation(expression);
  const [first = {}] = operands;
  if (name === "!") return opposite(canonical(first));
  const positive = { "!=": "==", ">": "<=", ">=": "<" }[name];
  return positive === undefined
    ? JSON.stringify(expression)
    : opposite(JSON.stringify({ [positive]: expression[name] }));
}

const opposite = (term: string): string => (term.startsWith("!") ? term.slice(1) : `!${term}`);

/** Facts that would have to equal different texts at once. */
function allEqualities({ conditions }: ParsedPolicy): string[] {
  const texts = new Map<string, string>();
  const doubled = new Set<string>();
  for (const { kind, body } of conditions) {
    for (const term of kind === "when" ? termsOf("&&", body) : []) {
      const compared = comparison(term);
      if (compared?.operator !== "==" || compared.texts.length !== 1) continue;
      const [text = ""] = compared.texts;
      if (texts.has(compared.fact) && texts.get(compared.fact) !== text) doubled.add(compared.fact);
      texts.set(compared.fact, text);
    }
  }
  return [...doubled];
}

interface Comparison {
  readonly operator: string;
  readonly fact: string;
  readonly texts: readonly string[];
}

const COMPARING = ["==", "!=", "contains", "containsAll", "containsAny"];

/** A comparison of a fact with literal texts, whichever of them stands on the left. */
export function comparison(expression: Expression): Comparison | null {
  const { name, operands } = operation(expression);
  if (!COMPARING.includes(name)) return null;
  const [left, right] = operands;
  const fact = factName(left) ?? factName(right);
  const texts = textLiterals(left) ?? textLiterals(right);
  return fact === null || texts === null ? null : { operator: name, fact, texts };
}

const NETWORKS: readonly string[] = [
  "public",
  "private",
  "loopback",
  "link_local",
  "metadata",
  "multicast",
  "reserved",
  "unresolved",
] satisfies HostQuestion["network"][];

function isSpelt(host: string): boolean {
  const spelt = canonicalHost(host);
  return spelt.ok && spelt.host === host;
}

function isAddress(text: string): boolean {
  const spelt = canonicalHost(text.includes(":") ? `[${text}]` : text);
  return spelt.ok && spelt.kind !== "name" && spelt.host.replace(/^\[|\]$/g, "") === text;
}

const isDigest = (text: string): boolean => /^[0-9a-f]{64}$/.test(text);
const isDecimal = (text: string): boolean => /^[0-9]+$/.test(text);

/** The name may contain an equals sign, too. */
function isValue(text: string): boolean {
  return [...text.matchAll(/=/g)].some(({ index }) => {
    try {
      return mcpValueText(text.slice(0, index), parseJson(text.slice(index + 1))) === text;
    } catch {
      return false;
    }
  });
}

/** What a text has to look like for the fact to be able to hold it. A misspelt one would never match. */
const HELD: Readonly<Record<string, readonly [test: (text: string) => boolean, expected: string]>> = {
  type: [(text) => ["file", "directory", "missing"].includes(text), '"file", "directory" or "missing"'],
  sha256: [isDigest, "64 hexadecimal digits in lower case"],
  real_path: [isCanonicalPath, "an absolute path without `.`, `..` and a slash at its end"],
  cwd: [isCanonicalPath, "an absolute path without `.`, `..` and a slash at its end"],
  word: [(text) => !text.startsWith("-"), "a first argument, which never begins with a dash"],
  flags: [(text) => /^-./s.test(text), "an argument that begins with a dash"],
  device: [isDecimal, "a number in decimal digits"],
  inode: [isDecimal, "a number in decimal digits"],
  program: [isCanonicalPath, "an absolute path without `.`, `..` and a slash at its end"],
  scheme: [(text) => ["http", "https", "tunnel"].includes(text), '"http", "https" or "tunnel"'],
  host: [isSpelt, "a name or an address in its canonical form, without a port"],
  addresses: [isAddress, "an address in its canonical form, without brackets"],
  method: [(text) => /^[A-Z]+$/.test(text), "an HTTP method in capitals"],
  path: [(text) => text === "" || text.startsWith("/"), "the path of a URL, which begins with a slash"],
  network: [(text) => NETWORKS.includes(text), NETWORKS.map((network) => `"${network}"`).join(", ")],
  headers: [(text) => text === text.toLowerCase(), "the name of a header in lower case"],
  definition: [isDigest, "64 hexadecimal digits in lower case"],
  values: [isValue, 'an argument with its value as JSON, such as name="text" or name=5'],
  environment: [(text) => text !== "" && !text.includes("="), "the name of a variable"],
};

function literalFindings(policy: ParsedPolicy): string[] {
  return [...expressionsOf(policy)].flatMap((expression) => {
    if (isBackwards(expression))
      return ['write `resource in Path::".."`, with the call\'s own on the left; the other way round it never holds'];
    const compared = comparison(expression);
    const held = compared === null ? undefined : HELD[compared.fact];
    if (compared === null || held === undefined) return [];
    const [test, expected] = held;
    return compared.texts
      .filter((text) => !test(text))
      .map((text) => `\`context.${compared.fact}\` never holds "${printable(text)}"; expected ${expected}`);
  });
}

/** Only the call's own resource comes with its folders. A literal on the left lies in nothing but itself. */
function isBackwards(expression: Expression): boolean {
  const { name, operands } = operation(expression);
  return name === "in" && !["principal", "action", "resource"].some((variable) => isVariable(operands[0], variable));
}
