/** Output of a terminal that its reader has not taken yet, handed out as text that is cut between characters. */
import { Output } from "@femtoclaw/sandbox";

export interface TakenOutput {
  readonly text: string;
  readonly bytes: number;
  /** Bytes that were thrown away since the last time. */
  readonly dropped: number;
  /** Bytes that are left. */
  readonly left: number;
}

export class UnreadOutput {
  /** INVARIANT: I9: a program that writes byte by byte has no memory for each of them. */
  #kept = new Output();
  #dropped = 0;

  get bytes(): number {
    return this.#kept.bytes.length;
  }

  append(chunk: Buffer): void {
    this.#kept.append(chunk);
  }

  /** Counts bytes that are not kept. */
  drop(bytes: number): void {
    this.#dropped += bytes;
  }

  /**
   * The oldest bytes, or only the newest and the others are dropped. `isWhole` says that nothing follows any more,
   * so that half a character at the end is given out as it is.
   */
  take(bytesMax: number, { latest, isWhole }: { readonly latest: boolean; readonly isWhole: boolean }): TakenOutput {
    let all = this.#kept.bytes;
    if (latest && all.length > bytesMax) {
      const from = characterStart(all, all.length - bytesMax);
      this.#dropped += from;
      all = all.subarray(from);
    }
    // A reader that asks for fewer bytes than a character has gets it whole, else it would never get on.
    const cut = Math.min(Math.max(bytesMax, lengthOf(all[0] ?? 0)), all.length);
    const taken = all.subarray(0, isWhole && cut === all.length ? cut : wholeCharacters(all, cut));
    const rest = all.subarray(taken.length);
    this.#kept = new Output();
    this.#kept.append(rest);
    const dropped = this.#dropped;
    this.#dropped = 0;
    return { text: taken.toString("utf8"), bytes: taken.length, dropped, left: rest.length };
  }
}

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;

/** The first place from `at` on where a character begins; bytes that are none are passed by. */
function characterStart(bytes: Buffer, at: number): number {
  let start = at;
  while (start < at + 3 && isContinuation(bytes[start])) start += 1;
  return start;
}

/** Bytes of the character that begins with this one. */
function lengthOf(first: number): number {
  if (first >= 0xf8 || first < 0xc0) return 1;
  return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
}

/** How many of the first `end` bytes are whole characters; what is no UTF-8 at all counts as whole. */
function wholeCharacters(bytes: Buffer, end: number): number {
  for (let back = 1; back <= Math.min(3, end); back += 1) {
    const byte = bytes[end - back] ?? 0;
    if (isContinuation(byte)) continue;
    return lengthOf(byte) > back ? end - back : end;
  }
  return end;
}
