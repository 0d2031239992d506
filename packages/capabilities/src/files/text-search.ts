/**
 * Finds bytes in bytes in time that grows with their lengths alone (Knuth, Morris and Pratt). The search that comes with
 * Node.js takes seconds for a megabyte when a text repeats itself, and who proposes chooses both.
 */

import { PART_BYTES, type Pace } from "./pace.ts";

export class TextSearch {
  readonly length: number;
  readonly #wanted: Buffer;
  /** For each prefix of what is wanted: how many bytes of it are also its end. */
  readonly #borders: Int32Array;

  /** At least one byte. */
  constructor(wanted: Buffer) {
    this.length = wanted.length;
    this.#wanted = wanted;
    this.#borders = bordersOf(wanted);
  }

  /** Looks at a content that comes piece by piece. */
  begin(): (piece: Buffer, from: number, to: number) => number {
    let matched = 0;
    return (piece, from, to) => {
      const found = this.#endIn(piece, { from, to, matched });
      ({ matched } = found);
      return found.end;
    };
  }

  /** Where it begins at or after `from`; -1 where it does not. */
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

  /** Where it ends first, or -1, and how much of it stands at the end. Two of them may share bytes. */
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
