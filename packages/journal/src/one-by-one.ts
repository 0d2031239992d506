/** Runs changes one after the other, each after the one before has ended or failed, so that it sees what that left. */
export class OneByOne {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(change: () => Promise<T>): Promise<T> {
    const changed = this.#last.then(change);
    this.#last = changed.catch(() => undefined);
    return changed;
  }

  /** Resolves when the changes so far have ended. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
