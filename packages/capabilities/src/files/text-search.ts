/**
 * Searches bytes in time linear in their length (Knuth, Morris and Pratt). The search built into Node.js takes seconds
 * for a megabyte of repetitive text, and agents choose both the file and the text.
 */

import { PART_BYTES, type Pace } from "./pace.ts";

export class TextSearch {
  readonly length: number;
  readonly #wanted: Buffer;
  /** For each prefix of the wanted bytes, the length of its longest proper prefix that is also its suffix. */
  readonly #borders: Int32Array;

  /** `wanted` has at least one byte. */
  constructor(wanted: Buffer) {
    this.length = wanted.length;
    this.#wanted = wanted;
    this.#borders = bordersOf(wanted);
  }

  /** Begins a search in content that arrives piece by piece. */
  begin(): (piece: Buffer, from: number, to: number) => number {
    let matched = 0;
    return (piece, from, to) => {
      const found = this.#endIn(piece, { from, to, matched });
      ({ matched } = found);
      return found.end;
    };
  }

  /** Where the first occurrence at or after `from` begins; -1 if there is none. */
  async indexIn(content: Buffer, from: number, pace: Pace): Promise<number> {
    const next = this.begin();
    for (let start = from; start < content.length; start += PART_BYTES) {
      const to = Math.min(start + PART_BYTES, content.length);
      const end = next(content, start, to);
      await pace.looked(end === -1 ? to - start : end - start);
      if (end !== -1) return end - this.length;
    }
    return -1;
  }

  /** Where the next occurrence ends, or -1, and how many bytes of one are matched by then. Occurrences may overlap. */
  #endIn(
    content: Buffer,
    { from, to, matched: before }: { readonly from: number; readonly to: number; readonly matched: number },
  ): { readonly end: number; readonly matched: number } {
    const wanted = this.#wanted;
    const borders = this.#borders;
    const first = wanted[0] ?? 0;
    const part = content.subarray(0, to);
    let matched = before;
    for (let at = from; at < to; at += 1) {
      if (matched === 0) {
        at = part.indexOf(first, at);
        if (at === -1) return { end: -1, matched };
      }
      const byte = content[at];
      while (matched > 0 && wanted[matched] !== byte) matched = borders[matched - 1] ?? 0;
      if (wanted[matched] === byte) matched += 1;
      if (matched === wanted.length) return { end: at + 1, matched: borders[matched - 1] ?? 0 };
    }
    return { end: -1, matched };
  }
}

function bordersOf(wanted: Buffer): Int32Array {
  const borders = new Int32Array(wanted.length);
  let length = 0;
  for (let at = 1; at < wanted.length; at += 1) {
    while (length > 0 && wanted[length] !== wanted[at]) length = borders[length - 1] ?? 0;
    if (wanted[length] === wanted[at]) length += 1;
    borders[at] = length;
  }
  return borders;
}
