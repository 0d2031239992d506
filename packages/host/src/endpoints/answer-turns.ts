/**
 * Makes the answers of one connection that can be as large as a result one after the other, each when the client has
 * read enough of those before it. Until then, their content stays in the journal, where it comes from.
 */
export class AnswerTurns {
  readonly #hasRoom: () => boolean;
  #last: Promise<unknown> = Promise.resolve();
  #goOn: (() => void) | null = null;
  readonly #left = new AbortController();

  constructor(hasRoom: () => boolean) {
    this.#hasRoom = hasRoom;
  }

  /** Whether the client reads its answers fast enough to be given more. */
  get hasRoom(): boolean {
    return this.#hasRoom();
  }

  /** Aborted when the client is gone. */
  get left(): AbortSignal {
    return this.#left.signal;
  }

  /** Waits for its turn, then makes the answer. The answer is written before the next turn comes. */
  async next<T>(make: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const turn = Promise.withResolvers<void>();
    this.#last = turn.promise;
    try {
      await before;
      await this.#room();
      if (this.left.aborted) throw new Error("nobody is there who could read the answer");
      return await make();
    } finally {
      setImmediate(turn.resolve);
    }
  }

  /** Called when the client has read something. */
  read(): void {
    if (this.left.aborted || this.#hasRoom()) this.#goOn?.();
  }

  /** Called when the client is gone. */
  end(): void {
    this.#left.abort();
    this.#goOn?.();
  }

  async #room(): Promise<void> {
    if (this.left.aborted || this.#hasRoom()) return;
    await new Promise<void>((resolve) => {
      this.#goOn = resolve;
    });
    this.#goOn = null;
  }
}
