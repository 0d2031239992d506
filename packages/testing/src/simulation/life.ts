/** One life of a simulated process. What it waits for when it is killed never comes, so its code never goes on. */
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
