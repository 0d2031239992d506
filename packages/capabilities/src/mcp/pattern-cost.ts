/**
 * What it takes to compile the regular expressions of a stranger's schema, told from their text. The engine compiles one
 * when the first text is matched. Nothing can interrupt that, and the host does nothing else meanwhile.
 */

/** Characters of an expression that count as one point, whatever they mean. */
const CHARS_PER_POINT = 128;
/** Copies that the engine makes of a repeated place. */
const COPIES = 3;
/** LIMIT: points of one expression, not counting its length. With this many, compiling takes tens of milliseconds. */
const WIDE_POINTS = 6;
/** LIMIT: points of all expressions of one schema. */
const SCHEMA_POINTS = 64;

const TOKEN = /\\[pPu]\{[^}]*\}|\\.|\[(?:\\.|[^\]\\])*\]|\{\d*,?\d*\}|./gsu;
const TIMES = /^\{\d*,?\d*\}$/;
const PROPERTY = /\\[pP]\{/;
const WIDE = /^\.$|^\[\^|\\[WDS]|[\u{10000}-\u{10ffff}]|\\u\{|\\u[dD][89abAB]/u;
const TWO_WAYS = /^(?:\||\?|\\[bB])$/;

/**
 * Points for the places that match characters beyond U+FFFF. INVARIANT: I9: the engine compiles such places in a row
 * together, so what one more of them costs grows with those around it: six properties of Unicode in a row take a third
 * of a second, and twelve among tests for the boundary of a word take twenty seconds. So there may be only a few.
 */
function widePoints(source: string): number {
  let points = 0;
  let last = 0;
  let ways = 0;
  for (const [token] of source.matchAll(TOKEN)) {
    if (TIMES.test(token)) points += last * (COPIES - 1);
    else if (TWO_WAYS.test(token)) ways += 1;
    else {
      const wide = WIDE.test(token) ? 1 : 0;
      last = PROPERTY.test(token) ? 2 : wide;
      points += last;
    }
  }
  return points === 0 ? 0 : points + ways;
}

/** Whether the expression takes too long to compile, whatever else its schema holds. */
export function isSlowToCompile(source: string): boolean {
  return widePoints(source) > WIDE_POINTS;
}

/** Whether all different patterns of the schema, wherever they stand in it, take too long together. */
export function areSlowToCompile(schema: unknown): boolean {
  const patterns = new Set<string>();
  const left: unknown[] = [schema];
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    if (typeof at !== "object" || at === null) continue;
    for (const [name, member] of Object.entries(at)) {
      if (name === "pattern" && typeof member === "string") patterns.add(member);
      else left.push(member);
    }
  }
  let points = 0;
  for (const pattern of patterns) {
    if (!isSlowToCompile(pattern)) points += widePoints(pattern) + pattern.length / CHARS_PER_POINT;
  }
  return points > SCHEMA_POINTS;
}
