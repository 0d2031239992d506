/** Who waits until there is more to read: told a moment after something came, so that what comes at once is read at once. */
import type { Clock } from "@femtoclaw/journal";

export class WaitingReaders {
  readonly #clock: Pick<Clock, "after">;
  readonly #gatherMs: number;
  readonly #wakers = new Set<() => void>();

  constructor(clock: Pick<Clock, "after">, gatherMs: number) {
    this.#clock = clock;
    this.#gatherMs = gatherMs;
  }

  /** How many wait for whom nothing has come yet. */
  get count(): number {
    return this.#wakers.size;
  }

  /** Resolves a moment after something has come, when the time is over, or when whoever waits has left. */
  async more(waitMs: number, left?: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const over = (): void => {
        cancel();
        left?.removeEventListener("abort", over);
        this.#wakers.delete(soon);
        resolve();
      };
      let cancel = this.#clock.after(waitMs, over, { unref: true });
      const soon = (): void => {
        this.#wakers.delete(soon);
        cancel();
        cancel = this.#clock.after(this.#gatherMs, over, { unref: true });
      };
      this.#wakers.add(soon);
      left?.addEventListener("abort", over);
    });
  }

  /** Something has come. */
  wake(): void {
    for (const soon of [...this.#wakers]) soon();
  }
}
