/**
 * Regular expressions from strangers, as far as their worst case can be told from their text: without nested
 * repetition, so that matching takes polynomial time in the length of the text.
 */
import { isSlowToCompile } from "./pattern-cost.ts";

/**
 * LIMIT: characters of an expression, and alternatives and optional parts in it, each of which doubles the ways through
 * it.
 */
const PATTERN_CHARS = 256;
const CHOICES = 8;
/** Characters compared on the ways through an expression that count as one step of a check. */
const COMPARED_PER_STEP = 256;
/** LIMIT: characters compared on all ways through one expression, which takes some tens of milliseconds. */
const COMPARED = 20_000_000;

export interface BoundedPattern {
  readonly expression: RegExp;
  /** Steps that a text of this length costs at most; null if it could take longer. */
  stepsOn(textLength: number): number | null;
}

/** Null if the expression is invalid, or its worst case cannot be told. */
export function boundedPattern(source: string): BoundedPattern | null {
  const shape = shapeOf(source);
  if (shape === null) return null;
  const { repeats, length, choices, hasChoice } = shape;
  const starts = source.startsWith("^") && !hasChoice ? 0 : 1;
  const stepsOn = (textLength: number): number | null => {
    const ways = 2 ** choices * (textLength + 1) ** (repeats + starts);
    const compared = ways * Math.max(1, Math.min(length, textLength));
    return compared > COMPARED ? null : 1 + Math.ceil(compared / COMPARED_PER_STEP);
  };
  try {
    return { expression: new RegExp(source, "u"), stepsOn };
  } catch {
    return null;
  }
}

interface Shape {
  /** Parts that repeat without a fixed number. */
  readonly repeats: number;
  /** Characters of all parts, repeated where the number is fixed; each way may compare all of them. */
  readonly length: number;
  readonly choices: number;
  readonly hasChoice: boolean;
}

/**
 * Null for an expression that repeats a group, has lookarounds or back references, is too long, takes too long to
 * compile, or has too many choices.
 */
function shapeOf(source: string): Shape | null {
  if (source.length > PATTERN_CHARS || isSlowToCompile(source)) return null;
  // An escape or a character class counts as one plain character, since its content is no syntax.
  const plain = source.replace(/\\./gs, (escaped) => (/[1-9k]/.test(escaped[1] ?? "") ? "\\k" : "x"));
  // In JavaScript, `[]` and `[^]` are whole classes: a bracket right behind the first one ends the class, too.
  const flat = plain.replace(/\[[^\]]*\]/g, "x");
  if (flat.includes("\\k") || /\(\?(?!:)/.test(flat) || /\)[*+?{]/.test(flat)) return null;
  // A fixed number of repetitions adds no further ways, but makes each of them longer.
  const groupless = flat.replaceAll("(?:", "(").replace(/\{\d+\}/g, "");
  const fixed = [...flat.matchAll(/\{(\d+)\}/g)].reduce((sum, [, times]) => sum + Number(times), 0);
  const repeats = (groupless.match(/[*+]|\{[^}]*\}/g) ?? []).length;
  const optional = (groupless.replace(/[*+}]\?/g, "").match(/\?/g) ?? []).length;
  const choices = (groupless.match(/\|/g) ?? []).length;
  const written = groupless.replace(/\{[^}]*\}|[()|*+?^$]/g, "").length;
  if (optional + choices > CHOICES) return null;
  return { repeats, length: written + fixed, choices: optional + choices, hasChoice: choices > 0 };
}
