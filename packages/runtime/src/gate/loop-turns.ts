/**
 * Shares the event loop between sessions. A call is worked on in steps: from its arrival to its intent, from there to
 * its outcome, and its reply. In one turn of the loop each session does so many steps and no more, so that a step of
 * one session never stands behind everything that another one has to do. And while a record of a session that does
 * little is on its way to the disk, those that have much to do get few turns: the thread that writes it needs the processor,
 * too, and what they do meanwhile would be as much as the disk takes long.
 */
import type { Clock } from "@femtoclaw/journal";

/** LIMIT: steps of one session in one turn beside a session that nothing waits of: what that one calls next waits for so much. */
const STEPS_BESIDE_OTHERS = 1;
/** LIMIT: steps of one session in one turn where each that is there has some waiting; groups of records are not too small then. */
const STEPS_AMONG_BUSY = 8;
/** LIMIT: steps in one turn of a session that is there alone: some milliseconds, for which another one waits that comes. */
const STEPS_ALONE = 64;
/** LIMIT: turns while somebody's record is on its way to the disk: most of the time of a quick sync, and little of a slow one. */
const TURNS_BESIDE_DISK = 4;
/** LIMIT: pause before each further turn then, in milliseconds: so a disk that stalls stops nobody. */
const PAUSE_MS = 1;
/** Records of one session on their way to the disk for which others are kept waiting; one with more has much to do itself. */
const FEW_RECORDS = 8;
/** Time for which a session counts as there after its last step, so that others do not fill the gate between two calls of it. */
const THERE_US = 1_000_000;

export class LoopTurns {
  readonly #clock: Pick<Clock, "after" | "monotonicUs">;
  /** Sessions that are there with the time of their last step, the one that was silent for longest first. */
  readonly #there = new Map<string, number>();
  #last: string | null = null;
  /** Steps that sessions began in this turn of the loop. */
  readonly #begun = new Map<string, number>();
  /** What waits for a later turn, by session. */
  readonly #waiting = new Map<string, (() => void)[]>();
  #isTurning = false;
  /** Records on their way to the disk, by session. */
  readonly #onDisk = new Map<string, number>();
  /** Turns that there were while somebody waited for the disk. */
  #turnsBesideDisk = 0;
  #isPausing = false;

  constructor(clock: Pick<Clock, "after" | "monotonicUs">) {
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

  /** A record of the session is on its way to the disk from here until it is `offDisk`. */
  onDisk(session: string): void {
    this.#onDisk.set(session, (this.#onDisk.get(session) ?? 0) + 1);
  }

  offDisk(session: string): void {
    const isAwaited = this.#isAwaited(session);
    const left = (this.#onDisk.get(session) ?? 0) - 1;
    if (left > 0) this.#onDisk.set(session, left);
    else this.#onDisk.delete(session);
    if (!isAwaited) return;
    this.#turnsBesideDisk = 0;
    if (this.#waiting.size > 0) this.#turnLater();
  }

  /** Whether the session has nothing to do but to wait for the disk. */
  #isAwaited(session: string): boolean {
    return !this.#waiting.has(session) && (this.#onDisk.get(session) ?? 0) <= FEW_RECORDS;
  }

  #isDiskAwaited(): boolean {
    for (const session of this.#onDisk.keys()) if (this.#isAwaited(session)) return true;
    return false;
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
    if (this.#waiting.size > 0) {
      if (!this.#isDiskAwaited()) this.#turnsBesideDisk = 0;
      else if (this.#turnsBesideDisk >= TURNS_BESIDE_DISK) return this.#pause();
      else this.#turnsBesideDisk += 1;
    }
    const steps = this.#stepsOfEach();
    for (const [session, queue] of this.#waiting) {
      const served = queue.splice(0, steps);
      if (queue.length === 0) this.#waiting.delete(session);
      this.#begun.set(session, served.length);
      for (const resolve of served) resolve();
    }
    if (this.#begun.size > 0) this.#turnLater();
  }

  // INVARIANT: I9: however long the disk takes, what others do meanwhile is bounded by a number of turns and by that time.
  #pause(): void {
    if (this.#isPausing) return;
    this.#isPausing = true;
    this.#clock.after(PAUSE_MS, () => {
      this.#isPausing = false;
      this.#turnsBesideDisk = Math.min(this.#turnsBesideDisk, TURNS_BESIDE_DISK - 1);
      if (this.#waiting.size > 0) this.#turnLater();
    });
  }

  /** Of those that wait. A session rarely waits for longer than it counts as there, so each of them is there. */
  #stepsOfEach(): number {
    if (this.#there.size === 1) return STEPS_ALONE;
    return this.#there.size > this.#waiting.size ? STEPS_BESIDE_OTHERS : STEPS_AMONG_BUSY;
  }
}
