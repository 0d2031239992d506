/**
 * Moves the root machine and records what the runtime does. Entries that come before the journal is open wait here and
 * are recorded first.
 */
import type { Journal, JournalEntry } from "@femtoclaw/journal";
import type { Fault, LifecycleEvent, Phase } from "@femtoclaw/machines";
import { errorText, FemtoError, LIMITS, printable } from "@femtoclaw/protocol";
import type { ActorSystem } from "./actors/system.ts";
import type { LogEntry } from "./options.ts";

interface ChronicleParts {
  readonly system: ActorSystem;
  log(entry: LogEntry): void;
  /** Called if the runtime moved but the record of that was refused, so that history no longer tells the truth. */
  onUnrecorded(fault: Fault): void;
}

export class Chronicle {
  readonly #parts: ChronicleParts;
  #waiting: JournalEntry[] = [];
  #journal: Pick<Journal, "append"> | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: ChronicleParts) {
    this.#parts = parts;
  }

  /** Sends the event to the root machine. A move from one phase to another is recorded. */
  advance(event: LifecycleEvent): Phase {
    const { from, to } = this.#parts.system.advance(event);
    if (from === to) return to;
    const fault = event.type === "fault" ? recordable(event.fault) : undefined;
    this.#parts.log({ level: fault === undefined ? "info" : "error", event: "lifecycle.changed", from, to, ...fault });
    this.record({
      type: "lifecycle.changed",
      session: null,
      execution: null,
      body: { event: event.type, from, to, ...(fault === undefined ? {} : { fault }) },
    });
    return to;
  }

  /** Nobody waits for these records one by one; `durable` waits for all of them. */
  record(entry: JournalEntry): void {
    if (this.#journal === null) {
      this.#waiting.push(entry);
      return;
    }
    const appended = this.#journal.append(entry);
    this.#last = appended;
    appended.catch((error: unknown) => this.#refused(entry, error));
  }

  /** From now on entries go to the journal: first the record of the boot, then those that have waited. */
  open(boot: JournalEntry, journal: Pick<Journal, "append">): void {
    this.#journal = journal;
    for (const entry of [boot, ...this.#waiting]) this.record(entry);
    this.#waiting = [];
  }

  /** Resolves when everything recorded so far is durable. */
  async durable(): Promise<void> {
    await this.#last;
  }

  #refused({ type }: JournalEntry, error: unknown): void {
    const code = error instanceof FemtoError ? error.code : "FEMTO_INTERNAL";
    // A journal that failed has reported that itself, and a closed journal takes no more records.
    if (code === "FEMTO_JOURNAL_CLOSED" || code === "FEMTO_JOURNAL_WRITE_FAILED") return;
    const reason = `a ${type} record was refused: ${errorText(error)}`;
    this.#parts.log({ level: "error", event: "journal.refused", type, reason });
    // Opening or closing a session changes nothing about the runtime itself, so a missing record of it is no fault.
    if (type !== "session.opened" && type !== "session.closed") this.#parts.onUnrecorded({ code, reason });
  }
}

/** A fault whose reason fits into a record. */
function recordable({ code, reason }: Fault): Fault {
  return { code, reason: printable(reason, LIMITS.reasonChars) };
}
