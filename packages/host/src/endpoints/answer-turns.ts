/**
 * How answers that are as large as a result are made for one connection: one after the other, each when its client has
 * read enough of those before it. Until then they are where they came from, which is the journal.
 */
export class AnswerTurns {
  readonly #hasRoom: () => boolean;
  #last: Promise<unknown> = Promise.resolve();
  #goOn: (() => void) | null = null;
  #isOver = false;

  constructor(hasRoom: () => boolean) {
    this.#hasRoom = hasRoom;
  }

  /** Whether its client reads. */
  get hasRoom(): boolean {
    return this.#hasRoom();
  }

  /** What is made in its turn is written before the next turn comes. */
  async next<T>(make: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const turn = Promise.withResolvers<void>();
    this.#last = turn.promise;
    try {
      await before;
      await this.#room();
      if (this.#isOver) throw new Error("nobody is there who could read the answer");
      return await make();
    } finally {
      setImmediate(turn.resolve);
    }
  }

  /** Its client has read something. */
  read(): void {
    if (this.#isOver || this.#hasRoom()) this.#goOn?.();
  }

  /** Its client is gone. */
  end(): void {
    this.#isOver = true;
    this.#goOn?.();
  }

  async #room(): Promise<void> {
    if (this.#isOver || this.#hasRoom()) return;
    await new Promise<void>((resolve) => {
      this.#goOn = resolve;
    });
    this.#goOn = null;
  }
}
