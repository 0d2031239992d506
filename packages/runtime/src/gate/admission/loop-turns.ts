/**
 * Shares the event loop between sessions. A call is worked on in steps: from its arrival to its intent, from there to
 * its outcome, and its reply. In one turn of the loop a session may begin a limited number of steps, so that no session
 * waits behind all the work of another. While a record of a quiet session is on its way to the disk, busy sessions get
 * few turns: the thread that writes the record needs the processor as well, and busy sessions would use it for as long
 * as the disk takes.
 */
import type { Clock } from "@femtoclaw/journal";

/**
 * LIMIT: steps of one session in one turn while another session has nothing to do. The next call of that idle session
 * waits for at most this many.
 */
const STEPS_BESIDE_OTHERS = 1;
/**
 * LIMIT: steps of one session in one turn if all sessions have steps waiting: enough for commit groups that are worth a
 * sync.
 */
const STEPS_AMONG_BUSY = 8;
/**
 * LIMIT: steps in one turn if only one session is present. They take some milliseconds, for which a newly arriving
 * session waits.
 */
const STEPS_ALONE = 64;
/** LIMIT: turns of busy sessions while a quiet one waits for the disk. They last for most of a quick sync. */
const TURNS_BESIDE_DISK = 4;
/** LIMIT: milliseconds of pause before each turn beyond those, so that a stalled disk stops nobody. */
const PAUSE_MS = 1;
/**
 * A session with at most this many records on their way to the disk counts as quiet, and busy sessions are held back
 * for it.
 */
const FEW_RECORDS = 8;
/**
 * Microseconds for which a session counts as present after its last step, so that others do not take the loop between
 * two of its calls.
 */
const PRESENT_US = 1_000_000;

export class LoopTurns {
  readonly #clock: Pick<Clock, "after" | "monotonicUs">;
  /** Present sessions with the time of their last step. The one that has been silent for longest comes first. */
  readonly #present = new Map<string, number>();
  #last: string | null = null;
  /** Steps that each session began in this turn of the loop. */
  readonly #begun = new Map<string, number>();
  /** Steps that wait for a later turn, by session. */
  readonly #waiting = new Map<string, (() => void)[]>();
  #isTurning = false;
  /** Number of records on their way to the disk, by session. */
  readonly #onDisk = new Map<string, number>();
  /** Turns of busy sessions since a quiet one began to wait for the disk. */
  #turnsBesideDisk = 0;
  #isPausing = false;

  constructor(clock: Pick<Clock, "after" | "monotonicUs">) {
    this.#clock = clock;
  }

  /** Null if the session may begin a step at once; else a promise that resolves in the turn in which it may. */
  next(session: string): Promise<void> | null {
    this.#notice(session);
    this.#turnLater();
    const begun = this.#begun.get(session) ?? 0;
    const queue = this.#waiting.get(session);
    if (queue === undefined && begun < (this.#present.size > 1 ? STEPS_BESIDE_OTHERS : STEPS_ALONE)) {
      this.#begun.set(session, begun + 1);
      return null;
    }
    return new Promise((resolve) => {
      if (queue === undefined) this.#waiting.set(session, [resolve]);
      else queue.push(resolve);
    });
  }

  /** Says that a record of the session is on its way to the disk, until `offDisk` is called. */
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

  /** Whether the session has nothing to do but wait for the disk. */
  #isAwaited(session: string): boolean {
    return !this.#waiting.has(session) && (this.#onDisk.get(session) ?? 0) <= FEW_RECORDS;
  }

  #isDiskAwaited(): boolean {
    for (const session of this.#onDisk.keys()) if (this.#isAwaited(session)) return true;
    return false;
  }

  #notice(session: string): void {
    const nowUs = this.#clock.monotonicUs();
    // A session that comes twice in a row already stands last.
    if (session !== this.#last) this.#present.delete(session);
    this.#last = session;
    this.#present.set(session, nowUs);
    if (this.#present.size === 1) return;
    for (const [other, lastUs] of this.#present) {
      if (nowUs - lastUs < PRESENT_US) break;
      this.#present.delete(other);
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

  // INVARIANT: I9: however long the disk takes, the work of others meanwhile is bounded by a number of turns and by
  // this pause.
  #pause(): void {
    if (this.#isPausing) return;
    this.#isPausing = true;
    this.#clock.after(PAUSE_MS, () => {
      this.#isPausing = false;
      this.#turnsBesideDisk = Math.min(this.#turnsBesideDisk, TURNS_BESIDE_DISK - 1);
      if (this.#waiting.size > 0) this.#turnLater();
    });
  }

  /**
   * Steps for each waiting session. A session rarely waits for longer than it counts as present, so all of them are
   * present.
   */
  #stepsOfEach(): number {
    if (this.#present.size === 1) return STEPS_ALONE;
    return this.#present.size > this.#waiting.size ? STEPS_BESIDE_OTHERS : STEPS_AMONG_BUSY;
  }
}
