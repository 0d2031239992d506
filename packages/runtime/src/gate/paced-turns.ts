/** Lets callers go on one after the other, with a pause between two of them. */
import type { Clock } from "@femtoclaw/journal";

export class PacedTurns {
  readonly #clock: Pick<Clock, "after">;
  readonly #pauseMs: number;
  #last: Promise<void> = Promise.resolve();

  constructor(clock: Pick<Clock, "after">, pauseMs: number) {
    this.#clock = clock;
    this.#pauseMs = pauseMs;
  }

  /** Resolves when it is the caller's turn. */
  next(): Promise<void> {
    this.#last = this.#last.then(() => new Promise<void>((resolve) => void this.#clock.after(this.#pauseMs, resolve)));
    return this.#last;
  }
}
