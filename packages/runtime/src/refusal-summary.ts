/**
 * Records how many calls were refused without a record of their own, so that a flood adds only a few records a minute.
 */
import type { Clock, JournalEntry } from "@femtoclaw/journal";
import type { ErrorCode } from "@femtoclaw/protocol";

/** Milliseconds between two summaries. */
const SUMMARY_MS = 10_000;

interface RefusalSummaryParts {
  readonly clock: Pick<Clock, "after">;
  /** The counts since the last call of this method. */
  takeCounts(): ReadonlyMap<ErrorCode, number>;
  record(entry: JournalEntry): void;
}

export class RefusalSummary {
  readonly #parts: RefusalSummaryParts;
  #cancel: () => void = () => undefined;

  constructor(parts: RefusalSummaryParts) {
    this.#parts = parts;
    this.#arm();
  }

  /** Records what was counted so far. */
  record(): void {
    for (const [code, count] of this.#parts.takeCounts()) {
      this.#parts.record({ type: "overload.refused", session: null, execution: null, body: { count, code } });
    }
  }

  stop(): void {
    this.#cancel();
  }

  #arm(): void {
    const summarize = (): void => {
      this.record();
      this.#arm();
    };
    this.#cancel = this.#parts.clock.after(SUMMARY_MS, summarize, { unref: true });
  }
}
