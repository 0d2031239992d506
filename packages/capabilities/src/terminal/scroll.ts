/** The newest output of a terminal, by its place in all of it: for operators who look in, and may look in late. */
import { Output } from "@femtoclaw/sandbox";

/** A piece of what a terminal showed, and where it stands in all of it. */
export interface ScrollPart {
  readonly data: Buffer;
  /** Place of what follows. */
  readonly next: number;
  /** Bytes between the place that was asked for and what is still kept. */
  readonly missed: number;
}

export class Scroll {
  readonly #bytesMax: number;
  /** Up to twice as much as is given out, so that what is too old is left behind in large steps. */
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

  /** Lets those go on that wait for more, also where no more comes. */
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

  /** Resolves when something has come, or was woken, or it is over. */
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
