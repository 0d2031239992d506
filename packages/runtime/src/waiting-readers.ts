/**
 * Readers that wait until there is more to read. They are woken a moment after something arrives, so that what arrives
 * together is read together.
 */
import type { Clock } from "@femtoclaw/journal";

export class WaitingReaders {
  readonly #clock: Pick<Clock, "after">;
  readonly #gatherMs: number;
  readonly #wakers = new Set<() => void>();

  constructor(clock: Pick<Clock, "after">, gatherMs: number) {
    this.#clock = clock;
    this.#gatherMs = gatherMs;
  }

  /** Number of readers for whom nothing has arrived yet. */
  get count(): number {
    return this.#wakers.size;
  }

  /** Resolves a moment after something arrives, when the time is over, or when the reader has left. */
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

  /** Wakes the readers, because something has arrived. */
  wake(): void {
    for (const soon of [...this.#wakers]) soon();
  }
}
