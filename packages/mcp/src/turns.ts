/** Lets only a bounded number of tasks proceed at once; the others wait in the order of arrival. */
export class Turns {
  readonly #max: number;
  #taken = 0;
  readonly #waiting = new Set<() => void>();

  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Resolves with a turn that lasts until it is disposed of. INVARIANT: I9: when the signal aborts, the wait ends and
   * nothing of it is kept: rejects with the reason of the signal.
   */
  async take(signal?: AbortSignal): Promise<Disposable> {
    signal?.throwIfAborted();
    if (this.#taken < this.#max) this.#taken += 1;
    else await this.#next(signal);
    return { [Symbol.dispose]: () => this.#end() };
  }

  async #next(signal: AbortSignal | undefined): Promise<void> {
    const turn = Promise.withResolvers<void>();
    const leave = (): void => {
      this.#waiting.delete(turn.resolve);
      turn.reject(signal?.reason);
    };
    this.#waiting.add(turn.resolve);
    signal?.addEventListener("abort", leave, { once: true });
    try {
      await turn.promise;
    } finally {
      signal?.removeEventListener("abort", leave);
    }
  }

  /** The turn goes to the task that has waited longest. */
  #end(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#taken -= 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
