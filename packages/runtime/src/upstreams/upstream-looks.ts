/**
 * Decides when one running MCP server is asked again what it offers. INVARIANT: I9: however often it reports a change,
 * and however long it takes to answer, only one such look is under way, and two of them begin at least the pause apart.
 */
import type { Clock } from "@femtoclaw/journal";
import { LIMITS } from "@femtoclaw/protocol";

/**
 * Milliseconds after which a list is refreshed beside the next call, because servers over HTTP cannot report a change.
 */
const OLD_MS = 300_000;

export class UpstreamLooks {
  readonly #clock: Pick<Clock, "after" | "monotonicUs">;
  readonly #look: () => Promise<void>;
  #lookedMs: number;
  /** Whether a look waits for its time. */
  #isWaiting = false;
  #isLooking = false;
  /** Whether something changed during the look that is under way, which may have missed it. */
  #isMissed = false;

  /** To be made when the server has just been looked at for the first time. `look` must never reject. */
  constructor(clock: Pick<Clock, "after" | "monotonicUs">, look: () => Promise<void>) {
    this.#clock = clock;
    this.#look = look;
    this.#lookedMs = this.#nowMs;
  }

  /** To be called when the server reports a change. */
  again(): void {
    if (this.#isLooking) this.#isMissed = true;
    if (this.#isLooking || this.#isWaiting) return;
    this.#isWaiting = true;
    const waitMs = Math.max(0, this.#lookedMs + LIMITS.upstreamRelistMs - this.#nowMs);
    this.#clock.after(waitMs, () => void this.#begin(), { unref: true });
  }

  /** To be called when somebody uses the server. */
  nowAndThen(): void {
    if (this.#nowMs - this.#lookedMs > OLD_MS) this.again();
  }

  async #begin(): Promise<void> {
    this.#isWaiting = false;
    this.#isMissed = false;
    this.#isLooking = true;
    await this.#look();
    this.#lookedMs = this.#nowMs;
    this.#isLooking = false;
    if (this.#isMissed) this.again();
  }

  get #nowMs(): number {
    return this.#clock.monotonicUs() / 1_000;
  }
}
