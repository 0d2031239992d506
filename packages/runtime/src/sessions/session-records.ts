/** The two records of a session itself: that it was opened, and that it is over. */
import type { JournalEntry } from "@femtoclaw/journal/live";
import type { RecordActor, SessionId } from "@femtoclaw/protocol";

interface SessionRecordsParts {
  readonly id: SessionId;
  readonly actor: RecordActor;
  record(entry: JournalEntry): void;
  /** Whether the proposer of the session is still there. */
  isOpen(): boolean;
  /** Whether history knows the session, according to all records that have a number, durable or not. */
  isKnown(): boolean;
}

/**
 * INVARIANT: I9: the first record of a session comes right before the first record of its calls. So a client that
 * connects and leaves again and again, without a recorded call, adds nothing to the journal.
 */
export class SessionRecords {
  readonly #parts: SessionRecordsParts;
  #hasBegun = false;
  /** Number of proposals so far, which the last record of the session reports. */
  executions = 0;

  constructor(parts: SessionRecordsParts) {
    this.#parts = parts;
  }

  /**
   * Records that the session was opened, unless that is recorded already. Returns false if the session may not begin
   * anew.
   */
  begin(): boolean {
    const { id, actor, record, isOpen, isKnown } = this.#parts;
    // History forgets sessions that ended long ago; a forgotten session does not begin anew.
    if (this.#hasBegun || isKnown()) return isKnown();
    record({ type: "session.opened", actor, session: id, execution: null, body: { history: 1 } });
    this.#hasBegun = isKnown();
    // The client has left before anything was recorded about the session.
    if (this.#hasBegun && !isOpen()) this.end();
    return this.#hasBegun;
  }

  /** Records that the session is over, if anything was recorded about it. */
  end(): void {
    if (!this.#hasBegun) return;
    const { id, actor, record } = this.#parts;
    record({ type: "session.closed", actor, session: id, execution: null, body: { executions: this.executions } });
  }
}
