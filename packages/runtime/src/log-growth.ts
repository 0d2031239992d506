/** Lets who follows the log wait for its next record, instead of looking again and again. */
import type { Clock, LogReader } from "@femtoclaw/journal";
import { FemtoError } from "@femtoclaw/protocol";
import { WaitingReaders } from "./waiting-readers.ts";

/** LIMIT: followers that wait at once; each is an open request of an operator. */
const FOLLOWERS = 256;
/** Records that are written at once are told of at once; a person who looks on sees no pause in it. */
const GATHER_MS = 50;

export interface GrowthWait {
  readonly waitMs: number;
  /** Who asked has left, and waits for nothing any more. */
  readonly left: AbortSignal;
}

export class LogGrowth {
  readonly #followers: WaitingReaders;

  constructor(clock: Pick<Clock, "after">) {
    this.#followers = new WaitingReaders(clock, GATHER_MS);
  }

  /** Something was recorded. */
  grown(): void {
    this.#followers.wake();
  }

  /** Resolves once the log has a record of this number, or when the wait is over. Throws FEMTO_OVERLOADED. */
  async until({ size }: Pick<LogReader, "size">, seq: number, { waitMs, left }: GrowthWait): Promise<void> {
    if (seq < size || waitMs === 0 || left.aborted) return;
    if (this.#followers.count >= FOLLOWERS) {
      throw new FemtoError("FEMTO_OVERLOADED", `${FOLLOWERS} readers wait for the next record already`);
    }
    await this.#followers.more(waitMs, left);
  }
}
