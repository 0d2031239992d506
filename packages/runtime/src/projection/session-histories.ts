/**
 * What each session did, and what is true of each principal, folded from records alone. The same fold runs ahead of the
 * disk for decisions, behind it for snapshots, and in a replay.
 */
import { type HistoryFacts, LIMITS, type Mark, type TypedRecord } from "@femtoclaw/protocol";

interface SessionHistory {
  readonly boot: string;
  /** When the session's first record was made, by the wall clock and by the clock of its boot. */
  readonly opened_at: string;
  readonly opened_us: number;
  calls: number;
  /** What finished calls sent and got back, and the most that running calls may get back. */
  bytes: number;
  failures: number;
  refusals: number;
  halted: { readonly seq: number; readonly code: string; readonly reason: string | null } | null;
}

interface Reserved {
  readonly session: string;
  readonly bytes: number;
}

/** The state in snapshots. */
export interface SessionsState {
  readonly open: Readonly<Record<string, SessionHistory>>;
  readonly ended: Readonly<Record<string, SessionHistory>>;
  /** For each running execution, the most that it may get back. */
  readonly reserved: Readonly<Record<string, Reserved>>;
  /** For each principal, the records that marked it. */
  readonly marks: Readonly<Record<string, Readonly<Partial<Record<Mark, number>>>>>;
}

/** What is true of a session independently of any clock. */
export type TimelessFacts = Omit<HistoryFacts, "at" | "seconds">;

/** The moment for which facts are wanted, by both clocks of the boot. */
interface Moment {
  readonly nowUs: number;
  readonly monotonicUs: number;
}

export class SessionHistories {
  readonly #open: Map<string, SessionHistory>;
  readonly #ended: Map<string, SessionHistory>;
  readonly #reserved: Map<string, Reserved>;
  readonly #marks: Map<string, Partial<Record<Mark, number>>>;
  /** The boot whose monotonic clock is available; not part of the state. */
  #boot: string | null = null;
  /**
   * The second that was formatted last, as text, and the opening times of sessions, as numbers. Neither is part of the
   * state.
   */
  #second = { epoch: Number.NaN, text: "" };
  readonly #openedUs = new WeakMap<SessionHistory, number>();

  constructor(state: SessionsState = { open: {}, ended: {}, reserved: {}, marks: {} }) {
    const own = structuredClone(state);
    this.#open = new Map(Object.entries(own.open));
    this.#ended = new Map(Object.entries(own.ended));
    this.#reserved = new Map(Object.entries(own.reserved));
    this.#marks = new Map(Object.entries(own.marks));
  }

  get state(): SessionsState {
    return structuredClone({
      open: Object.fromEntries(this.#open),
      ended: Object.fromEntries(this.#ended),
      reserved: Object.fromEntries(this.#reserved),
      marks: Object.fromEntries(this.#marks),
    });
  }

  /** Whether there is nothing to store, as in every log of a version that knew no histories. */
  get isEmpty(): boolean {
    return this.#open.size + this.#ended.size + this.#reserved.size + this.#marks.size === 0;
  }

  of(session: string): Readonly<SessionHistory> | undefined {
    return this.#open.get(session) ?? this.#ended.get(session);
  }

  /** Marks of every principal that has one, for a log that continues this one. */
  get marks(): readonly { readonly principal: string; readonly marks: Mark[] }[] {
    return [...this.#marks].map(([principal, marks]) => ({ principal, marks: Object.keys(marks) as Mark[] }));
  }

  /**
   * The history that a call of the session is decided on. For a session without a record, everything but the marks is
   * new.
   */
  facts(session: string, principal: string, moment: Moment): HistoryFacts {
    const history = this.of(session);
    const timeless = this.timelessFacts(session, principal);
    // In the order in which records have them.
    return {
      at: this.#secondAt(moment),
      calls: timeless.calls,
      bytes: timeless.bytes,
      failures: timeless.failures,
      refusals: timeless.refusals,
      seconds: history === undefined ? 0 : this.#secondsOf(history, moment),
      has_read_secret: timeless.has_read_secret,
      has_seen_untrusted: timeless.has_seen_untrusted,
    };
  }

  /** The same without what depends on a clock. */
  timelessFacts(session: string, principal: string): TimelessFacts {
    const history = this.of(session);
    const marks = this.#marks.get(principal);
    return {
      calls: history?.calls ?? 0,
      bytes: history?.bytes ?? 0,
      failures: history?.failures ?? 0,
      refusals: history?.refusals ?? 0,
      has_read_secret: marks?.read_secret !== undefined,
      has_seen_untrusted: marks?.seen_untrusted !== undefined,
    };
  }

  /** Bytes of the session's calls without what is reserved for running calls. */
  settledBytes(session: string): number {
    const running = [...this.#reserved.values()].filter((reserved) => reserved.session === session);
    return running.reduce((bytes, reserved) => bytes - reserved.bytes, this.of(session)?.bytes ?? 0);
  }

  /** INVARIANT: I6: nothing but the record decides what follows. Never throws, whatever the record. */
  apply(record: TypedRecord): void {
    switch (record.type) {
      case "boot.started":
        this.#boot = record.boot;
        for (const session of [...this.#open.keys()]) this.#end(session);
        return;
      case "epoch.opened":
        for (const { principal, marks } of record.body.marks ?? []) this.#mark(principal, marks, record.seq);
        return;
      case "session.opened":
        return this.#begin(record);
      case "session.closed":
        return this.#end(record.session ?? "");
      case "session.halted":
        return this.#halt(record);
      case "execution.refused":
        return this.#refused(record);
      case "execution.intent":
        return this.#intent(record);
      case "execution.outcome":
        return this.#outcome(record);
      case "execution.interrupted":
        // Nobody knows how much it got back, so what was reserved stays used.
        this.#reserved.delete(record.execution ?? "");
        return this.#failed(record);
      default:
        return;
    }
  }

  #refused(record: TypedRecord): void {
    const history = this.#historyOf(record);
    if (history !== undefined) history.refusals += 1;
  }

  #failed(record: TypedRecord): void {
    const history = this.#historyOf(record);
    if (history !== undefined) history.failures += 1;
  }

  #begin({ session, boot, at, mono_us, body }: TypedRecord & { type: "session.opened" }): void {
    if (session === null || body.history === undefined || this.of(session) !== undefined) return;
    const counts = { calls: 0, bytes: 0, failures: 0, refusals: 0 };
    this.#open.set(session, { boot, opened_at: at, opened_us: mono_us, ...counts, halted: null });
  }

  /** INVARIANT: I9: connecting again and again makes neither this nor its snapshots grow without end. */
  #end(session: string): void {
    const history = this.#open.get(session);
    if (history === undefined) return;
    this.#open.delete(session);
    this.#ended.set(session, history);
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > LIMITS.endedSessions && oldest !== undefined) this.#ended.delete(oldest);
  }

  #halt(record: TypedRecord & { type: "session.halted" }): void {
    const { seq, body } = record;
    const history = this.#historyOf(record);
    if (history !== undefined) history.halted ??= { seq, code: body.code, reason: body.reason ?? null };
  }

  // INVARIANT: a mark is in force from the intent on: before anything was read, and whatever becomes of the call.
  #intent(record: TypedRecord & { type: "execution.intent" }): void {
    const { session, execution, actor } = record;
    const { bytes = 0, reserved_bytes: reserved = 0, marks = [] } = record.body;
    // The runtime's own actions belong to nobody's history.
    this.#mark(actor?.principal ?? "", marks, record.seq);
    const history = this.#historyOf(record);
    if (history === undefined) return;
    history.calls += 1;
    history.bytes = counted(history.bytes + bytes + reserved);
    if (session !== null && execution !== null) this.#reserved.set(execution, { session, bytes: reserved });
  }

  #outcome(record: TypedRecord & { type: "execution.outcome" }): void {
    const { event, bytes = 0, connections = [] } = record.body;
    const reserved = this.#reserved.get(record.execution ?? "")?.bytes ?? 0;
    this.#reserved.delete(record.execution ?? "");
    const history = this.#historyOf(record);
    if (history === undefined) return;
    const carried = connections.reduce((sum, { bytes_out, bytes_in }) => sum + bytes_out + bytes_in, 0);
    history.bytes = counted(history.bytes - reserved + bytes + carried);
    if (event !== "succeeded") history.failures += 1;
  }

  #mark(principal: string, marks: readonly Mark[], seq: number): void {
    if (marks.length === 0) return;
    const held = this.#marks.get(principal) ?? {};
    for (const mark of marks) held[mark] ??= seq;
    this.#marks.set(principal, held);
  }

  #historyOf({ session }: TypedRecord): SessionHistory | undefined {
    return session === null ? undefined : (this.#open.get(session) ?? this.#ended.get(session));
  }

  /** The longer of the two durations counts, so that setting the wall clock back makes no session younger. */
  #secondsOf(history: SessionHistory, { nowUs, monotonicUs }: Moment): number {
    const openedUs = this.#openedUs.get(history) ?? Date.parse(history.opened_at) * 1_000;
    this.#openedUs.set(history, openedUs);
    const byBootUs = history.boot === this.#boot ? monotonicUs - history.opened_us : 0;
    return Math.floor(Math.max(nowUs - openedUs, byBootUs, 0) / 1_000_000);
  }

  #secondAt({ nowUs }: Moment): string {
    const epoch = Math.floor(nowUs / 1_000_000);
    if (epoch !== this.#second.epoch) {
      this.#second = { epoch, text: `${new Date(epoch * 1_000).toISOString().slice(0, 19)}Z` };
    }
    return this.#second.text;
  }
}

/** Counts stay numbers that every reader of JSON agrees on. */
function counted(count: number): number {
  return Math.min(count, Number.MAX_SAFE_INTEGER);
}
