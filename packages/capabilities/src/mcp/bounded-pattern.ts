/**
 * Regular expressions from strangers, as far as their worst case can be told from their text: without nested
 * repetition, so that matching takes polynomial time in the length of the text.
 */

/**
 * LIMIT: characters of an expression, and alternatives and optional parts in it, each of which doubles the ways through
 * it.
 */
const PATTERN_CHARS = 256;
const CHOICES = 8;
/** Ways through an expression that count as one step of a check. */
const WAYS_PER_STEP = 256;
/** LIMIT: ways through one expression, which take some tens of milliseconds. */
const WAYS = 20_000_000;

export interface BoundedPattern {
  readonly expression: RegExp;
  readonly steps: number;
}

/** Null if the expression is invalid, or could take longer on a text of this length. */
export function boundedPattern(source: string, textLength: number): BoundedPattern | null {
  const shape = shapeOf(source);
  if (shape === null) return null;
  const starts = source.startsWith("^") && !shape.hasChoice ? 0 : 1;
  const ways = 2 ** shape.choices * (textLength + 1) ** (shape.repeats + starts);
  if (ways > WAYS) return null;
  try {
    return { expression: new RegExp(source, "u"), steps: 1 + Math.ceil(ways / WAYS_PER_STEP) };
  } catch {
    return null;
  }
}

interface Shape {
  /** Parts that repeat without a fixed number. */
  readonly repeats: number;
  readonly choices: number;
  readonly hasChoice: boolean;
}

/**
 * Null for an expression that repeats a group, has lookarounds or back references, or is too long or has too many
 * choices.
 */
function shapeOf(source: string): Shape | null {
  if (source.length > PATTERN_CHARS) return null;
  // An escape or a character class counts as one plain character, since its content is no syntax.
  const plain = source.replace(/\\./gs, (escaped) => (/[1-9k]/.test(escaped[1] ?? "") ? "\\k" : "x"));
  const flat = plain.replace(/\[\^?\]?[^\]]*\]/g, "x");
  if (flat.includes("\\k") || /\(\?(?!:)/.test(flat) || /\)[*+?{]/.test(flat)) return null;
  // A fixed number of repetitions adds no further ways.
  const groupless = flat.replaceAll("(?:", "(").replace(/\{\d+\}/g, "");
  const repeats = (groupless.match(/[*+]|\{[^}]*\}/g) ?? []).length;
  const optional = (groupless.replace(/[*+}]\?/g, "").match(/\?/g) ?? []).length;
  const choices = (groupless.match(/\|/g) ?? []).length;
  return optional + choices > CHOICES ? null : { repeats, choices: optional + choices, hasChoice: choices > 0 };
}
