/** Lets callers continue one at a time, with a pause before each. The sessions take turns. */
import type { Clock } from "@femtoclaw/journal";

export class PacedTurns {
  readonly #clock: Pick<Clock, "after">;
  readonly #pauseMs: number;
  /** Sessions in the order of their turns, each with at least one caller. */
  readonly #waiting = new Map<string, (() => void)[]>();
  #isTicking = false;

  constructor(clock: Pick<Clock, "after">, pauseMs: number) {
    this.#clock = clock;
    this.#pauseMs = pauseMs;
  }

  /** Resolves when it is the caller's turn. */
  next(session: string): Promise<void> {
    return new Promise((resolve) => {
      const queue = this.#waiting.get(session);
      if (queue === undefined) this.#waiting.set(session, [resolve]);
      else queue.push(resolve);
      this.#tick();
    });
  }

  /**
   * INVARIANT: I9: callers of a session that has left stop waiting, so the number of waiters is bounded by the sessions
   * that are connected.
   */
  release(session: string): void {
    const queue = this.#waiting.get(session) ?? [];
    this.#waiting.delete(session);
    for (const resolve of queue) resolve();
  }

  #tick(): void {
    if (this.#isTicking || this.#waiting.size === 0) return;
    this.#isTicking = true;
    this.#clock.after(this.#pauseMs, () => {
      this.#isTicking = false;
      this.#serve();
      this.#tick();
    });
  }

  #serve(): void {
    const [first] = this.#waiting;
    if (first === undefined) return;
    const [session, queue] = first;
    queue.shift()?.();
    this.#waiting.delete(session);
    if (queue.length > 0) this.#waiting.set(session, queue);
  }
}
