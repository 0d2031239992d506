/**
 * Keeps the newest output of a terminal, addressed by its position in the whole, for operators who look in, perhaps
 * late.
 */
import { Output } from "@femtoclaw/sandbox";

/** A part of what a terminal showed, and its position. */
export interface ScrollPart {
  readonly data: Buffer;
  /** The position after this part. */
  readonly next: number;
  /** Bytes after the requested position that are no longer kept. */
  readonly missed: number;
}

export class Scroll {
  readonly #bytesMax: number;
  /** Holds up to twice as much as is given out, so that old output is discarded in large steps. */
  #kept = new Output();
  #end = 0;
  readonly #waiting = new Set<() => void>();

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  append(chunk: Buffer): void {
    this.#kept.append(chunk);
    this.#end += chunk.length;
    if (this.#kept.bytes.length > 2 * this.#bytesMax) {
      const newest = this.#newest;
      this.#kept = new Output();
      this.#kept.append(newest);
    }
    this.wake();
  }

  /** Resumes everyone who waits for more output, even if there is none. */
  wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  from(place: number): ScrollPart {
    const newest = this.#newest;
    const oldest = this.#end - newest.length;
    const start = Math.min(Math.max(place, oldest), this.#end);
    const data = Buffer.from(newest.subarray(start - oldest));
    return { data, next: this.#end, missed: Math.max(0, start - place) };
  }

  get #newest(): Buffer {
    return this.#kept.bytes.subarray(-this.#bytesMax);
  }

  /** Resolves when output has come, `wake` was called, or `isOver` aborts. */
  async more(isOver: AbortSignal): Promise<void> {
    if (isOver.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        isOver.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.add(wake);
      isOver.addEventListener("abort", wake, { once: true });
    });
  }
}
