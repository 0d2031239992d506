/**
 * Numbers of JSON texts that no double holds, such as 1e400 and most integers beyond 2^53. `JSON.parse` takes another
 * number for each of them without a word.
 */
import { parseJson } from "./parse-json.ts";
import { closingQuote } from "./string-literal.ts";

/** Matches every text that may hold such a number, and few others. */
const SUSPECT = /[0-9]{16}|[eE][+-]?[0-9]{3}/;
const TOKEN = /[0-9][0-9.eE+-]*/g;
const NUMBER = /^(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/;
/** Any parser reads it as Infinity, which no value of JSON is. */
const MARK = "1e999";

/**
 * Reads as `parseJson` does, but with Infinity in the place of each number that would become another one, so that
 * `holdsInexact` finds it.
 */
export function parseMarkedJson(text: string): unknown {
  return parseJson(SUSPECT.test(text) ? marked(text) : text);
}

/** Whether the value holds a number that JSON cannot express. Not recursive, because texts from outside nest deep. */
export function holdsInexact(value: unknown): boolean {
  const open: unknown[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next === "number" && !Number.isFinite(next)) return true;
    // Absent members are replaced by null, because `undefined` would end the walk.
    if (typeof next === "object" && next !== null) for (const member of Object.values(next)) open.push(member ?? null);
  }
  return false;
}

/** Whether a number that is not zero became zero, because it is too small. */
export function isLost(literal: string, value: number): boolean {
  return value === 0 && /^[^eE]*[1-9]/.test(literal);
}

function marked(text: string): string {
  let done = "";
  for (let from = 0; from < text.length; ) {
    const open = text.indexOf('"', from);
    const end = open === -1 ? text.length : open;
    done += text.slice(from, end).replace(TOKEN, (token) => (isInexact(token) ? MARK : token));
    from = open === -1 ? end : closingQuote(text, open + 1) + 1;
    done += text.slice(end, from);
  }
  return done;
}

/**
 * A fraction stands for the double nearest to it. An integer stands for itself, so it has to be written again as it was:
 * 2^63 is a double, but JavaScript writes another integer for it.
 */
function isInexact(token: string): boolean {
  const [, integer = "", fraction, exponent] = NUMBER.exec(token) ?? [];
  // What is no number is left as it is, for the parser to refuse.
  if (integer === "") return false;
  const value = Number(token);
  if (!Number.isFinite(value) || isLost(token, value)) return true;
  return fraction === undefined && exponent === undefined && String(value) !== integer;
}
