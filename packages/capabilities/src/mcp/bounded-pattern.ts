/**
 * Regular expressions of strangers, as far as their worst case can be told from their text: without anything that
 * repeats what repeats, and so polynomial in the length of the text that is searched.
 */

/** LIMIT: characters of an expression; parts that multiply the ways through it: choices and optional parts. */
const PATTERN_CHARS = 256;
const CHOICES = 8;
/** Ways through an expression that are one step of a check. */
const WAYS_PER_STEP = 256;
/** LIMIT: ways through one expression; some tens of milliseconds. */
const WAYS = 20_000_000;

export interface BoundedPattern {
  readonly expression: RegExp;
  readonly steps: number;
}

/** Null for one that could take longer on a text of this length, or that is none. */
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
  /** Parts that repeat any number of times. */
  readonly repeats: number;
  readonly choices: number;
  readonly hasChoice: boolean;
}

/** Null for what repeats a group, looks around or back, or is too long or too wide. */
function shapeOf(source: string): Shape | null {
  if (source.length > PATTERN_CHARS) return null;
  // Escapes and sets are one character each; what they hold is no syntax.
  const plain = source.replace(/\\./gs, (escaped) => (/[1-9k]/.test(escaped[1] ?? "") ? "\\k" : "x"));
  const flat = plain.replace(/\[\^?\]?[^\]]*\]/g, "x");
  if (flat.includes("\\k") || /\(\?(?!:)/.test(flat) || /\)[*+?{]/.test(flat)) return null;
  // What repeats a fixed number of times goes one way.
  const groupless = flat.replaceAll("(?:", "(").replace(/\{\d+\}/g, "");
  const repeats = (groupless.match(/[*+]|\{[^}]*\}/g) ?? []).length;
  const optional = (groupless.replace(/[*+}]\?/g, "").match(/\?/g) ?? []).length;
  const choices = (groupless.match(/\|/g) ?? []).length;
  return optional + choices > CHOICES ? null : { repeats, choices: optional + choices, hasChoice: choices > 0 };
}
