/**
 * When one running MCP server is looked at again. INVARIANT: I9: however often it says that what it offers has changed,
 * and however long it takes to say to what, one look is under way at it, and two begin no sooner after each other than
 * the pause says.
 */
import type { Clock } from "@femtoclaw/journal";
import { LIMITS } from "@femtoclaw/protocol";

/** What is older than this is looked at again beside the next call; servers over HTTP cannot say that it changed. */
const OLD_MS = 300_000;

export class UpstreamLooks {
  readonly #clock: Pick<Clock, "after" | "monotonicUs">;
  readonly #look: () => Promise<void>;
  #lookedMs: number;
  /** A look waits for its time. */
  #isWaiting = false;
  #isLooking = false;
  /** Something changed during the look that is under way, which may not have seen it. */
  #isMissed = false;

  /** Made when the server has just been looked at for the first time; `look` never rejects. */
  constructor(clock: Pick<Clock, "after" | "monotonicUs">, look: () => Promise<void>) {
    this.#clock = clock;
    this.#look = look;
    this.#lookedMs = this.#nowMs;
  }

  /** The server says that something changed. */
  again(): void {
    if (this.#isLooking) this.#isMissed = true;
    if (this.#isLooking || this.#isWaiting) return;
    this.#isWaiting = true;
    const waitMs = Math.max(0, this.#lookedMs + LIMITS.upstreamRelistMs - this.#nowMs);
    this.#clock.after(waitMs, () => void this.#begin(), { unref: true });
  }

  /** Somebody uses it. */
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
