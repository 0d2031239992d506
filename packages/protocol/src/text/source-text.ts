/**
 * Text that a person reviews before it decides anything. It has to be UTF-8, and a reviewer must see what the parser
 * sees.
 */
import { isUtf8 } from "node:buffer";
import { disclosed } from "./display.ts";

export interface SourcePlace {
  /** Both begin at 1. */
  readonly line: number;
  readonly column: number;
}

export type SourceText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly place: SourcePlace; readonly message: string };

/** What has to be known of a language to find the texts that its parser takes, but a reviewer sees as others. */
export interface SourceLanguage {
  /**
   * Matches everything that only people read, such as comments, and all texts in quotes. A match that begins with a
   * quotation mark is a text for the parser.
   */
  readonly pieces: RegExp;
  /** How the language writes the character in double quotes, for example `\\u202e`. */
  escaped(character: string): string;
}

/**
 * Characters that make a reviewer see another text than the parser does, wherever they stand (CVE-2021-42574), and
 * misplaced byte order marks.
 */
const MISLEADING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u;
/** An escape that a reviewer sees as such, or the white space of a text of several lines. */
const SEEN = /\\(?:u\{[0-9A-Fa-f]*\}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[ -~])|[\t\n\r]/g;

export function decodeSourceText(bytes: Uint8Array, language: SourceLanguage): SourceText {
  if (!isUtf8(bytes)) {
    const place = { line: lineOfInvalidBytes(Buffer.from(bytes)), column: 1 };
    return { ok: false, place, message: "this line is not UTF-8" };
  }
  const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  const misleading = MISLEADING.exec(text)?.index ?? misleadingQuote(text, language);
  if (misleading === null) return { ok: true, text };
  const written = language.escaped(String.fromCodePoint(text.codePointAt(misleading) ?? 0));
  const message = `a character that hides, reorders or imitates text; write it as ${written} in double quotes`;
  return { ok: false, place: sourcePlace(text, misleading), message };
}

/**
 * The first character in quotes that is not what a reviewer sees. INVARIANT: I3: a rule about a word or a path with such
 * a character would hold for nothing, and nobody could see that. Comments may be written as people write.
 */
function misleadingQuote(text: string, { pieces }: SourceLanguage): number | null {
  if (!NOT_ASCII.test(text)) return null;
  for (const { 0: piece, index } of text.matchAll(pieces)) {
    if (!/^["']/.test(piece) || !NOT_ASCII.test(piece)) continue;
    const plain = piece.slice(1).replace(SEEN, (seen) => " ".repeat(seen.length));
    const shown = disclosed(plain, (character) => `\\${character}`);
    if (shown === plain) continue;
    let at = 0;
    while (shown[at] === plain[at]) at += 1;
    return index + 1 + at;
  }
  return null;
}

const NOT_ASCII = /[^\0-\x7f]/;

/** A line feed never lies within a character of UTF-8, so each line can be examined alone. */
function lineOfInvalidBytes(bytes: Buffer): number {
  let start = 0;
  for (let line = 1; ; line += 1) {
    const end = bytes.indexOf(0x0a, start);
    if (end === -1 || !isUtf8(bytes.subarray(start, end))) return line;
    start = end + 1;
  }
}

export function sourcePlace(text: string, offset: number): SourcePlace {
  const before = text.slice(0, offset).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
