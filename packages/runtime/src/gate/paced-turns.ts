/** Lets callers go on one after the other, with a pause between two of them. */
import { setTimeout } from "node:timers/promises";

export class PacedTurns {
  readonly #pauseMs: number;
  #last: Promise<void> = Promise.resolve();

  constructor(pauseMs: number) {
    this.#pauseMs = pauseMs;
  }

  /** Resolves when it is the caller's turn. */
  next(): Promise<void> {
    this.#last = this.#last.then(() => setTimeout(this.#pauseMs));
    return this.#last;
  }
}
