/**
 * Shares the event loop between sessions. A call is worked on in steps: from its arrival to its intent, from there to
 * its outcome, and its reply. In one turn of the loop each session does so many steps and no more, so that a step of
 * one session never stands behind everything that another one has to do.
 */
import type { Clock } from "@femtoclaw/journal";

/** LIMIT: steps of one session in one turn beside a session that nothing waits of: what that one calls next waits for so much. */
const STEPS_BESIDE_OTHERS = 1;
/** LIMIT: steps of one session in one turn where each that is there has some waiting; groups of records are not too small then. */
const STEPS_AMONG_BUSY = 8;
/** LIMIT: steps in one turn of a session that is there alone: some milliseconds, for which another one waits that comes. */
const STEPS_ALONE = 64;
/** Time for which a session counts as there after its last step, so that others do not fill the gate between two calls of it. */
const THERE_US = 1_000_000;

export class LoopTurns {
  readonly #clock: Pick<Clock, "monotonicUs">;
  /** Sessions that are there with the time of their last step, the one that was silent for longest first. */
  readonly #there = new Map<string, number>();
  #last: string | null = null;
  /** Steps that sessions began in this turn of the loop. */
  readonly #begun = new Map<string, number>();
  /** What waits for a later turn, by session. */
  readonly #waiting = new Map<string, (() => void)[]>();
  #isTurning = false;

  constructor(clock: Pick<Clock, "monotonicUs">) {
    this.#clock = clock;
  }

  /** Null where the session may begin a step at once; else resolves in the turn in which it may. */
  next(session: string): Promise<void> | null {
    this.#notice(session);
    this.#turnLater();
    const begun = this.#begun.get(session) ?? 0;
    const queue = this.#waiting.get(session);
    if (queue === undefined && begun < (this.#there.size > 1 ? STEPS_BESIDE_OTHERS : STEPS_ALONE)) {
      this.#begun.set(session, begun + 1);
      return null;
    }
    return new Promise((resolve) => {
      if (queue === undefined) this.#waiting.set(session, [resolve]);
      else queue.push(resolve);
    });
  }

  #notice(session: string): void {
    const nowUs = this.#clock.monotonicUs();
    // Whoever comes twice in a row stands last already.
    if (session !== this.#last) this.#there.delete(session);
    this.#last = session;
    this.#there.set(session, nowUs);
    if (this.#there.size === 1) return;
    for (const [other, lastUs] of this.#there) {
      if (nowUs - lastUs < THERE_US) break;
      this.#there.delete(other);
    }
  }

  #turnLater(): void {
    if (this.#isTurning) return;
    this.#isTurning = true;
    setImmediate(() => this.#turn());
  }

  // INVARIANT: I9: in one turn of the loop no session gets more steps than another one that waits for as many.
  #turn(): void {
    this.#isTurning = false;
    this.#begun.clear();
    const steps = this.#stepsOfEach();
    for (const [session, queue] of this.#waiting) {
      const served = queue.splice(0, steps);
      if (queue.length === 0) this.#waiting.delete(session);
      this.#begun.set(session, served.length);
      for (const resolve of served) resolve();
    }
    if (this.#begun.size > 0) this.#turnLater();
  }

  /** Of those that wait. A session waits for milliseconds at the most, so each of them is there. */
  #stepsOfEach(): number {
    if (this.#there.size === 1) return STEPS_ALONE;
    return this.#there.size > this.#waiting.size ? STEPS_BESIDE_OTHERS : STEPS_AMONG_BUSY;
  }
}
