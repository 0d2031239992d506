/**
 * Text that a person reviews before it decides anything. It has to be UTF-8, and a reviewer must see what the parser
 * sees.
 */
import { isUtf8 } from "node:buffer";

export interface SourcePlace {
  /** Both begin at 1. */
  readonly line: number;
  readonly column: number;
}

export type SourceText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly place: SourcePlace; readonly message: string };

/**
 * Characters that make a reviewer see another text than the parser does (CVE-2021-42574), and misplaced byte order
 * marks.
 */
const MISLEADING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u;

/** `escaped` returns how the text's language writes a character by its number, for example `\\u202e`. */
export function decodeSourceText(bytes: Uint8Array, escaped: (hexadecimal: string) => string): SourceText {
  if (!isUtf8(bytes)) {
    const place = { line: lineOfInvalidBytes(Buffer.from(bytes)), column: 1 };
    return { ok: false, place, message: "this line is not UTF-8" };
  }
  const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  const misleading = MISLEADING.exec(text);
  if (misleading === null) return { ok: true, text };
  const written = escaped(misleading[0].charCodeAt(0).toString(16).padStart(4, "0"));
  const message = `a character that hides or reorders text; write it as ${written} in double quotes`;
  return { ok: false, place: sourcePlace(text, misleading.index), message };
}

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
