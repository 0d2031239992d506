/** A list of listeners. If one of them throws, a warning is emitted and the others are called all the same. */
import { errorText } from "@femtoclaw/protocol";

export class Listeners<T> {
  readonly #what: string;
  readonly #listeners = new Set<(news: T) => void>();

  /** `what` names such a listener in a warning. */
  constructor(what: string) {
    this.#what = what;
  }

  /** Returns a function that removes the listener. */
  add(listener: (news: T) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  tell(news: T): void {
    for (const listener of this.#listeners) {
      try {
        listener(news);
      } catch (error) {
        process.emitWarning(`${this.#what} failed: ${errorText(error)}`, { code: "FEMTO_INTERNAL" });
      }
    }
  }
}
