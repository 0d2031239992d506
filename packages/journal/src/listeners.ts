/** Who wants to hear of something. A listener that throws is told of in a warning, and harms nobody else. */
import { errorText } from "@femtoclaw/protocol";

export class Listeners<T> {
  readonly #what: string;
  readonly #listeners = new Set<(news: T) => void>();

  /** `what` names such a listener in a warning. */
  constructor(what: string) {
    this.#what = what;
  }

  /** Returns what ends it. */
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
