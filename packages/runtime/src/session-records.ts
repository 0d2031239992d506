/** The two records of a session itself: that it was opened, and that it is over. */
import type { JournalEntry } from "@femtoclaw/journal/live";
import type { RecordActor, SessionId } from "@femtoclaw/protocol";

export interface SessionRecordsParts {
  readonly id: SessionId;
  readonly actor: RecordActor;
  record(entry: JournalEntry): void;
  /** Whether its proposer is still there. */
  isOpen(): boolean;
  /** Whether history knows it, as far as records have numbers. */
  isKnown(): boolean;
}

/**
 * INVARIANT: I9: the first record of a session comes right before that of its first call, so that whoever connects and
 * leaves again and again, without a call that is recorded, adds nothing to the journal.
 */
export class SessionRecords {
  readonly #parts: SessionRecordsParts;
  #hasBegun = false;
  /** Proposals so far; the last record tells how many there were. */
  executions = 0;

  constructor(parts: SessionRecordsParts) {
    this.#parts = parts;
  }

  /** Records that the session was opened, where nothing tells of it yet; false where it is not to begin anew. */
  begin(): boolean {
    const { id, actor, record, isOpen, isKnown } = this.#parts;
    // History forgets sessions that ended long ago; one that was forgotten does not begin anew.
    if (this.#hasBegun || isKnown()) return isKnown();
    record({ type: "session.opened", actor, session: id, execution: null, body: { history: 1 } });
    this.#hasBegun = isKnown();
    // Its client has left before anything was recorded of it.
    if (this.#hasBegun && !isOpen()) this.end();
    return this.#hasBegun;
  }

  /** Records that the session is over, where anything was recorded of it. */
  end(): void {
    if (!this.#hasBegun) return;
    const { id, actor, record } = this.#parts;
    record({ type: "session.closed", actor, session: id, execution: null, body: { executions: this.executions } });
  }
}
