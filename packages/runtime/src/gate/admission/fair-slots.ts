/**
 * Slots that sessions share fairly. Each session has its own queue and the queues are served in turn, so a session that
 * asks for everything delays the others by one slot, not by its whole queue. The last eighth of the slots is reserved
 * for sessions that hold none. When too many wait, the newest waiter of the longest queue is refused.
 */
import { FemtoError } from "@femtoclaw/protocol";

interface FairSlotsOptions {
  readonly slots: number;
  /** Slots that one session may hold at once. */
  readonly slotsPerSession: number;
  /** Waiters of all sessions together before further ones are refused. */
  readonly queue: number;
}

/** LIMIT: share of the slots that a session cannot take if it holds one already. */
const RESERVED_SHARE = 1 / 8;

export type Release = () => void;

interface Waiter {
  readonly resolve: (release: Release) => void;
  readonly reject: (error: FemtoError) => void;
}

export class FairSlots {
  readonly #options: FairSlotsOptions;
  readonly #reserve: number;
  /**
   * Sessions in the order of their turns. Every session that could be served has been, so none of these may take a free
   * slot.
   */
  readonly #waiting = new Map<string, Waiter[]>();
  readonly #held = new Map<string, number>();
  #free: number;
  #queued = 0;

  constructor(options: FairSlotsOptions) {
    this.#options = options;
    this.#reserve = Math.floor(options.slots * RESERVED_SHARE);
    this.#free = options.slots;
  }

  get queued(): number {
    return this.#queued;
  }

  /** Returns a slot at once, or a promise of one. Throws or rejects with FEMTO_OVERLOADED when too many wait. */
  acquire(session: string): Release | Promise<Release> {
    if (this.#mayTake(session)) return this.#take(session);
    this.#makeRoom(session);
    this.#queued += 1;
    return new Promise((resolve, reject) => {
      const queue = this.#waiting.get(session);
      if (queue === undefined) this.#waiting.set(session, [{ resolve, reject }]);
      else queue.push({ resolve, reject });
    });
  }

  // INVARIANT: I9: a full queue refuses those who fill it; a session with fewer waiters than another one finds room.
  #makeRoom(session: string): void {
    if (this.#queued < this.#options.queue) return;
    const refusal = new FemtoError("FEMTO_OVERLOADED", `${this.#queued} calls are waiting already`);
    const own = this.#waiting.get(session)?.length ?? 0;
    const longest = [...this.#waiting.values()].reduce<Waiter[]>(
      (most, queue) => (queue.length > most.length ? queue : most),
      [],
    );
    if (longest.length <= own + 1) throw refusal;
    this.#queued -= 1;
    longest.pop()?.reject(refusal);
  }

  // INVARIANT: I9: however many slots are held, and for however long, a session that holds none finds one.
  #mayTake(session: string): boolean {
    const held = this.#held.get(session) ?? 0;
    return this.#free > (held === 0 ? 0 : this.#reserve) && held < this.#options.slotsPerSession;
  }

  #take(session: string): Release {
    this.#free -= 1;
    this.#held.set(session, (this.#held.get(session) ?? 0) + 1);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#free += 1;
      const held = (this.#held.get(session) ?? 0) - 1;
      if (held > 0) this.#held.set(session, held);
      else this.#held.delete(session);
      this.#serve();
    };
  }

  /** Serves one waiter of each session in turn; a served session goes to the end of the turn. */
  #serve(): void {
    for (const [session, queue] of this.#waiting) {
      while (this.#free > 0 && this.#mayTake(session)) {
        const waiter = queue.shift();
        if (waiter !== undefined) {
          this.#queued -= 1;
          waiter.resolve(this.#take(session));
        }
        // A session that waits alone is already at the end of the turn.
        if (this.#waiting.size === 1 && queue.length > 0) continue;
        this.#waiting.delete(session);
        if (queue.length > 0) this.#waiting.set(session, queue);
        break;
      }
    }
  }
}
