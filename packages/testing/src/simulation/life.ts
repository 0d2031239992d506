/**
 * One life of a simulated process. Once it is killed, the promises that it waits for never settle, so its code stops.
 */
export class Life {
  #isOver = false;

  get isOver(): boolean {
    return this.#isOver;
  }

  end(): void {
    this.#isOver = true;
  }

  /** Resolves while the life lasts. */
  async goesOn(): Promise<void> {
    if (this.#isOver) await new Promise<never>(() => undefined);
  }
}
