/** Unread output of a terminal, handed out as text that is cut between characters. */
import { Output } from "@femtoclaw/sandbox";

export interface TakenOutput {
  readonly text: string;
  readonly bytes: number;
  /** Bytes discarded since the last time. */
  readonly dropped: number;
  /** Bytes that remain unread. */
  readonly left: number;
}

export class UnreadOutput {
  /** INVARIANT: I9: a program that writes byte by byte does not make the host allocate memory for each byte. */
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
   * Takes the oldest bytes, or with `latest` the newest, dropping the others. `isWhole` means that nothing follows any
   * more, so that an incomplete character at the end is handed out as it is.
   */
  take(bytesMax: number, { latest, isWhole }: { readonly latest: boolean; readonly isWhole: boolean }): TakenOutput {
    let all = this.#kept.bytes;
    if (latest && all.length > bytesMax) {
      const from = characterStart(all, all.length - bytesMax);
      this.#dropped += from;
      all = all.subarray(from);
    }
    // A reader that asks for fewer bytes than a character has gets the whole character, or would never get on.
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

/** The first position from `at` on where a character begins; invalid bytes are skipped. */
function characterStart(bytes: Buffer, at: number): number {
  let start = at;
  while (start < at + 3 && isContinuation(bytes[start])) start += 1;
  return start;
}

/** The length in bytes of the character that begins with this byte. */
function lengthOf(first: number): number {
  if (first >= 0xf8 || first < 0xc0) return 1;
  if (first >= 0xf0) return 4;
  return first >= 0xe0 ? 3 : 2;
}

/** How many of the first `end` bytes are whole characters; an invalid byte counts as one. */
function wholeCharacters(bytes: Buffer, end: number): number {
  for (let back = 1; back <= Math.min(3, end); back += 1) {
    const byte = bytes[end - back] ?? 0;
    if (isContinuation(byte)) continue;
    return lengthOf(byte) > back ? end - back : end;
  }
  return end;
}
