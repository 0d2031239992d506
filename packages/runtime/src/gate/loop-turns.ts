/**
 * Shares the event loop between sessions. A call is worked on in steps: from its arrival to its intent, from there to
 * its outcome, and its reply. In one turn of the loop a session may begin a limited number of steps, so that no session
 * waits behind all the work of another. While a record of a quiet session is on its way to the disk, busy sessions get few
 * turns: the thread that writes the record needs the processor as well, and they would use it as long as the disk takes.
 */
import type { Clock } from "@femtoclaw/journal";

/** LIMIT: steps of one session in one turn beside a session with nothing to do: the next call of that one waits for so many. */
const STEPS_BESIDE_OTHERS = 1;
/** LIMIT: steps of one session in one turn where all have steps waiting: enough for commit groups that are worth a sync. */
const STEPS_AMONG_BUSY = 8;
/** LIMIT: steps in one turn of a session that is alone: some milliseconds, which another one waits that arrives meanwhile. */
const STEPS_ALONE = 64;
/** LIMIT: turns of busy sessions while a quiet one waits for the disk: they last as long as most of a quick sync. */
const TURNS_BESIDE_DISK = 4;
/** LIMIT: milliseconds before each turn after those, so that a disk that stalls stops nobody. */
const PAUSE_MS = 1;
/** A session with at most so many records on their way to the disk counts as quiet: busy ones are kept waiting for it. */
const FEW_RECORDS = 8;
/** Time for which a session counts as there after its last step, so that others do not take the loop between two of its calls. */
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
  /** Turns of busy sessions since a quiet one waits for the disk. */
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
