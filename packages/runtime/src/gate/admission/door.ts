/**
 * What all sessions of one channel and principal share as long as they have achieved nothing: room for records of their
 * refusals and, once that is used up, a single place in the gate. So nobody gains anything by connecting anew.
 */
import type { Clock } from "@femtoclaw/journal";
import { LIMITS } from "@femtoclaw/protocol";
import { FairSlots } from "./fair-slots.ts";
import { PacedTurns } from "./paced-turns.ts";
import { TokenBucket } from "./session-quota.ts";

/**
 * LIMIT: milliseconds of pause after a refused call, and between answers to halted sessions: a hundred of each a
 * second.
 */
const PAUSE_MS = 10;
/** Bytes of one ordinary record of a refusal. With less room than that, no such record is written. */
const RECORD_BYTES = 2_048;

/** To be called when the call has left the gate. `withPause` says whether the next one has to wait a little longer. */
export type Leave = (how: { readonly withPause: boolean }) => void;

export class Door {
  /** Pays for records of refusals if the session has no merit of its own. */
  readonly newcomers: TokenBucket;
  /** Paces answers that cost no decision. */
  readonly turns: PacedTurns;
  readonly #clock: Pick<Clock, "after" | "monotonicUs">;
  readonly #pauseMs: number;
  readonly #place: FairSlots;
  #isStrict = false;

  constructor(clock: Pick<Clock, "after" | "monotonicUs">, pauseMs = PAUSE_MS) {
    this.#clock = clock;
    this.#pauseMs = pauseMs;
    this.newcomers = newcomersShare(clock.monotonicUs());
    this.turns = new PacedTurns(clock, pauseMs);
    this.#place = new FairSlots({ slots: 1, slotsPerSession: 1, queue: LIMITS.queue });
  }

  /**
   * Whether calls of a session with this much merit enter one at a time. Once they do, it stays so until the share is
   * half full again.
   */
  isStrictFor(meritBytes: number): boolean {
    const held = this.newcomers.held(this.#clock.monotonicUs());
    this.#isStrict = held < (this.#isStrict ? LIMITS.newcomerRefusalBytes / 2 : RECORD_BYTES);
    return this.#isStrict && meritBytes < RECORD_BYTES;
  }

  /**
   * INVARIANT: I9: sessions that have achieved nothing yet enter one after the other, with a pause after each refusal.
   * So a flood of ever new connections costs at most a hundred decisions a second. A session is exempt after its first
   * call that ends well. Throws FEMTO_OVERLOADED.
   */
  async turn(session: string): Promise<Leave> {
    const release = await this.#place.acquire(session);
    return ({ withPause }) => {
      if (withPause) this.#clock.after(this.#pauseMs, release);
      else release();
    };
  }
}

export function newcomersShare(nowUs: number): TokenBucket {
  return new TokenBucket({ size: LIMITS.newcomerRefusalBytes, perSecond: LIMITS.newcomerRefusalBytesPerSecond }, nowUs);
}
