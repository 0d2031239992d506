/** The calls that wait for operators, the oldest first, and who waits for the next of them. */
import type { Clock } from "@femtoclaw/journal";
import { FemtoError } from "@femtoclaw/protocol";
import type { GrowthWait } from "../log-growth.ts";
import { WaitingReaders } from "../waiting-readers.ts";
import type { WaitingCall } from "./questions.ts";

/** LIMIT: operators who wait for the next question at once; each is an open request. */
const WATCHERS = 256;
/** What is asked at once is told at once. */
const GATHER_MS = 50;

export class OpenCalls {
  /** By the number of their question's record. */
  readonly #calls = new Map<number, WaitingCall>();
  /** Counts what was asked, said and settled in this boot, so that who looks on knows whether anything is new. */
  #changes = 1;
  readonly #watchers: WaitingReaders;

  constructor(clock: Pick<Clock, "after">) {
    this.#watchers = new WaitingReaders(clock, GATHER_MS);
  }

  get size(): number {
    return this.#calls.size;
  }

  get all(): readonly WaitingCall[] {
    return [...this.#calls.values()];
  }

  get changes(): number {
    return this.#changes;
  }

  get(seq: number): WaitingCall | undefined {
    return this.#calls.get(seq);
  }

  /** A new one, or what is known of one by now. */
  put(call: WaitingCall): void {
    this.#calls.set(call.seq, call);
    this.#changed();
  }

  delete(seq: number): void {
    this.#calls.delete(seq);
    this.#changed();
  }

  clear(): void {
    this.#calls.clear();
    this.#changed();
  }

  /** Resolves once there were more changes than these, or when the wait is over. Throws FEMTO_OVERLOADED. */
  async changedAfter(changes: number, { waitMs, left }: GrowthWait): Promise<void> {
    if (changes !== this.#changes || waitMs === 0 || left.aborted) return;
    // INVARIANT: I9: who waits has a limit.
    if (this.#watchers.count >= WATCHERS) {
      throw new FemtoError("FEMTO_OVERLOADED", `${WATCHERS} operators wait for the next question already`);
    }
    await this.#watchers.more(waitMs, left);
  }

  #changed(): void {
    this.#changes += 1;
    this.#watchers.wake();
  }
}
