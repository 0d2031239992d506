/** Lets followers of the log wait for its next record instead of polling. */
import type { Clock, LogReader } from "@femtoclaw/journal";
import { FemtoError, requireCount, requireFields, WAIT_MS_MAX } from "@femtoclaw/protocol";
import { WaitingReaders } from "./waiting-readers.ts";

/** LIMIT: followers that wait at once; each of them is an open request of an operator. */
const FOLLOWERS = 256;
/**
 * Milliseconds for which records are gathered, so that those written together are reported together. A person who
 * watches does not notice the delay.
 */
const GATHER_MS = 50;

export interface GrowthWait {
  readonly waitMs: number;
  /** Aborted when the waiting client has left. */
  readonly left: AbortSignal;
}

/** Throws FEMTO_SOCKET_REQUEST for a wait that the types forbid. */
export function takenWait(wait: GrowthWait): GrowthWait {
  requireFields("a wait", wait);
  const { waitMs, left } = wait;
  requireCount("waitMs", waitMs, WAIT_MS_MAX);
  requireFields("`left`", left);
  return { waitMs, left };
}

export class LogGrowth {
  readonly #followers: WaitingReaders;

  constructor(clock: Pick<Clock, "after">) {
    this.#followers = new WaitingReaders(clock, GATHER_MS);
  }

  /** To be called when something was recorded. */
  grown(): void {
    this.#followers.wake();
  }

  /** Resolves once the log has a record with this number, or when the wait is over. Throws FEMTO_OVERLOADED. */
  async until({ size }: Pick<LogReader, "size">, seq: number, wait: GrowthWait): Promise<void> {
    requireCount("seq", seq);
    const { waitMs, left } = takenWait(wait);
    if (seq < size || waitMs === 0 || left.aborted) return;
    if (this.#followers.count >= FOLLOWERS) {
      throw new FemtoError("FEMTO_OVERLOADED", `${FOLLOWERS} readers wait for the next record already`);
    }
    await this.#followers.more(waitMs, left);
  }
}
