/**
 * What sessions share that come in by one door as one principal and have done nothing yet: room for records
 * of their refusals and, once that is used up, one place in the gate. Connecting anew gains neither.
 */
import type { Clock } from "@femtoclaw/journal";
import { LIMITS } from "@femtoclaw/protocol";
import { FairSlots } from "./fair-slots.ts";
import { PacedTurns } from "./paced-turns.ts";
import { ByteBucket } from "./session-quota.ts";

/** LIMIT: pause after a call that was refused, and between answers to halted sessions: a hundred a second of each. */
const PAUSE_MS = 10;
/** Room for one ordinary record of a refusal; who has less has none. */
const RECORD_BYTES = 2_048;

/** Called when the call has left the gate. */
export type Leave = (wasRefused: boolean) => void;

export class Door {
  /** Pays for records of refusals where a session has no merit of its own. */
  readonly newcomers: ByteBucket;
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

  /** Whether a session with so much merit goes in one at a time. It stays so until the share is half full again. */
  isStrictFor(meritBytes: number): boolean {
    const held = this.newcomers.held(this.#clock.monotonicUs());
    this.#isStrict = held < (this.#isStrict ? LIMITS.newcomerRefusalBytes / 2 : RECORD_BYTES);
    return this.#isStrict && meritBytes < RECORD_BYTES;
  }

  /**
   * INVARIANT: I9: those that have done nothing yet take turns, session by session, and a refusal among them costs a
   * pause. So a flood from ever new connections decides a hundred calls a second, and one call that ends well
   * is the way out. Throws FEMTO_OVERLOADED.
   */
  async turn(session: string): Promise<Leave> {
    const release = await this.#place.acquire(session);
    return (wasRefused) => {
      if (wasRefused) this.#clock.after(this.#pauseMs, release);
      else release();
    };
  }
}

export function newcomersShare(nowUs: number): ByteBucket {
  return new ByteBucket(
    { bytes: LIMITS.newcomerRefusalBytes, bytesPerSecond: LIMITS.newcomerRefusalBytesPerSecond },
    nowUs,
  );
}
