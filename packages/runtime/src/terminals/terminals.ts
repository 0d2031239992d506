/**
 * The open terminals of a runtime. Each holds a lease: it lasts while its opening would still be permitted, its session
 * is there and no limit is reached. When one of these no longer holds, the terminal is ended as a whole.
 */
import assert from "node:assert/strict";
import type { SessionTerminals, Terminal, TerminalKeeper, TerminalRequest } from "@femtoclaw/capabilities";
import type { JournalEntry } from "@femtoclaw/journal";
import {
  FemtoError,
  LIMITS,
  printable,
  requireCount,
  requireText,
  type SessionId,
  type TerminalStatus,
  WAIT_MS_MAX,
} from "@femtoclaw/protocol";
import { entryBytes } from "../gate/entries.ts";
import { type Execution, openingOf } from "../gate/execution.ts";
import type { GateTerminals } from "../gate/gate-parts.ts";
import { settled } from "../settled.ts";
import { closingOf, type KeptTerminal, terminalStatus, type WatchedPart } from "./kept-terminal.ts";
import { type Ending, endOfLease, type LeaseParts, stoppedBy } from "./lease.ts";
import { Recorder } from "./recorder.ts";

export interface TerminalsParts extends LeaseParts {
  /** Resolves once the entry is durable. */
  append(entry: JournalEntry): Promise<{ readonly seq: number }>;
  /**
   * Nobody waits for this record. If it is refused the runtime ends, because history would no longer tell the truth.
   */
  record(entry: JournalEntry): void;
  /** Whether the journal has room to spare. */
  hasRoom(): boolean;
}

export class Terminals implements GateTerminals {
  readonly #parts: TerminalsParts;
  /** Those that have ended stay until they are closed, or newer ones take their place; the oldest stands first. */
  readonly #kept = new Map<string, KeptTerminal>();
  /** Places of those that are on their way, by session. */
  readonly #starting: SessionId[] = [];
  #cancelReview: (() => void) | null = null;
  #stopped: Ending | null = null;

  constructor(parts: TerminalsParts) {
    this.#parts = parts;
  }

  /** Terminals on which a program runs. */
  get running(): number {
    return this.#live.length;
  }

  keeper(execution: Execution): TerminalKeeper {
    return {
      open: (request, start) => this.#open(execution, request, start),
      close: async (id) => {
        const kept = this.#kept.get(id);
        if (kept === undefined || kept.opening.session !== execution.session) return;
        this.#end(kept, { why: "closed", reason: "its session closed it" }, "politely");
        await kept.terminal.whenEnded;
        this.#kept.delete(id);
      },
    };
  }

  // INVARIANT: I8: only the session that opened a terminal finds it.
  of(session: SessionId): SessionTerminals {
    return (id) => {
      const kept = this.#kept.get(id);
      if (kept === undefined || kept.opening.session !== session) return null;
      kept.usedUs = this.#parts.clock.monotonicUs();
      const { question, terminal, opening } = kept;
      return { question, bound: { kind: "terminal", id, terminal, approval: opening.approval } };
    };
  }

  /** Ends terminals that would not be permitted now, and those that have reached a limit. */
  review(): void {
    for (const kept of this.#live) {
      const ending = this.#endOf(kept);
      if (ending !== null) this.#end(kept, ending);
    }
  }

  /** Ends everything that a session opened, because the session is over. */
  endSession(session: SessionId): void {
    const own = [...this.#kept.values()].filter(({ opening }) => opening.session === session);
    for (const kept of own) {
      this.#end(kept, { why: "session", reason: "its session ended" });
      // The terminal is kept until then, so that a stop of the host waits for it as for the others.
      void kept.terminal.whenEnded.then(() => this.#kept.delete(kept.id));
    }
  }

  /** Ends all terminals and lets none begin. Resolves when no program runs any more, or after the grace time. */
  async stop(reason: string): Promise<void> {
    this.#stopped ??= { why: "stopped", reason: printable(reason, LIMITS.reasonChars) };
    const live = this.#live;
    for (const kept of live) this.#end(kept, this.#stopped);
    const all = Promise.all(live.map(({ terminal }) => terminal.whenEnded)).then(() => undefined);
    await settled(this.#parts.clock, all, LIMITS.graceMs);
    this.#cancelReview?.();
    this.#cancelReview = null;
  }

  /** The newest first. */
  list(): TerminalStatus[] {
    return [...this.#kept.values()].map((kept) => terminalStatus(kept, this.#parts.clock.monotonicUs())).reverse();
  }

  /** Output for an operator; reading takes nothing away. Throws FEMTO_TERMINAL_NOT_FOUND. */
  async watch(id: string, from: number, waitMs: number): Promise<WatchedPart> {
    requireText("id", id);
    requireCount("from", from);
    requireCount("waitMs", waitMs, WAIT_MS_MAX);
    const kept = this.#kept.get(id);
    if (kept === undefined) {
      const reason = `no terminal \`${printable(id, LIMITS.labelChars)}\` is open`;
      throw new FemtoError("FEMTO_TERMINAL_NOT_FOUND", reason);
    }
    const { terminal } = kept;
    const part = await terminal.watch(from, waitMs);
    return { ...part, ...terminal.size, running: terminal.end === null };
  }

  get #live(): KeptTerminal[] {
    return [...this.#kept.values()].filter(({ terminal }) => terminal.end === null);
  }

  async #open(
    execution: Execution,
    request: TerminalRequest,
    start: (request: TerminalRequest) => Promise<Terminal>,
  ): Promise<string> {
    const { session } = execution;
    this.#requirePlace(session);
    this.#starting.push(session);
    try {
      const terminal = await start(request);
      try {
        return await this.#keep(execution, terminal);
      } catch (error) {
        terminal.kill();
        await terminal.whenEnded;
        throw error;
      }
    } finally {
      this.#starting.splice(this.#starting.indexOf(session), 1);
    }
  }

  // INVARIANT: I9: the number of terminals is limited, those being opened included.
  #requirePlace(session: SessionId): void {
    if (!this.#parts.isOpen(session)) throw cancelled("its session has ended, and a terminal ends with its session");
    const live = this.#live;
    const own = live.filter(({ opening }) => opening.session === session).length;
    const ownStarting = this.#starting.filter((one) => one === session).length;
    if (own + ownStarting >= LIMITS.terminalsPerSession) {
      const reason = `${LIMITS.terminalsPerSession} terminals of this session are open, which is the limit`;
      throw new FemtoError("FEMTO_TERMINAL_LIMIT", reason);
    }
    if (live.length + this.#starting.length >= LIMITS.terminals) {
      throw new FemtoError("FEMTO_TERMINAL_LIMIT", `${LIMITS.terminals} terminals are open, which is the limit`);
    }
  }

  // INVARIANT: I1: the record that a terminal is open is durable before anybody learns of the terminal.
  async #keep(execution: Execution, terminal: Terminal): Promise<string> {
    const { id, session, actor, facts } = execution;
    const question = facts?.questions[0];
    assert(question?.kind === "program", "a terminal is opened by a call that names a program");
    const { recordInput } = this.#parts.settings;
    const body = { terminal: id, program: question.program, ...terminal.size, input_recorded: recordInput };
    const { seq } = await this.#parts.append({ type: "terminal.opened", actor, session, execution: null, body });
    const { clock } = this.#parts;
    const opening = openingOf(execution);
    const recorder = new Recorder({
      clock,
      terminal: id,
      recordsInput: recordInput,
      hasRoom: () => this.#parts.hasRoom(),
      // INVARIANT: I9: if the journal takes no more of what proposers cause, the recording is lost, and the host goes
      // on.
      entry: (recorded) => {
        const entry = this.#entryOf(opening, { type: "terminal.recorded", ...recorded });
        this.#parts.append(entry).catch(() => recorder.lose(recorded.body.text?.length ?? 0));
      },
    });
    const nowUs = clock.monotonicUs();
    const kept: KeptTerminal = {
      id,
      terminal,
      opening,
      question,
      recorder,
      opened: seq,
      openedUs: nowUs,
      usedUs: nowUs,
      ending: null,
      openedAt: new Date(clock.nowUs() / 1_000).toISOString(),
    };
    this.#kept.set(id, kept);
    this.#forgetOldest(session);
    terminal.listen({
      onOutput: (text) => recorder.output(text),
      onInput: (text) => recorder.input(text),
      onSize: (size) => recorder.size(size),
      onOverflow: () =>
        this.#end(kept, { why: "output", reason: `it wrote more than ${LIMITS.terminalOutputBytes} bytes` }),
    });
    void terminal.whenEnded.then(() => this.#ended(kept));
    this.#reviewLater();
    // While the terminal started, anything may have changed. The reason for its end stands in its record and in the
    // answer.
    const ending = this.#endOf(kept) ?? stoppedBy(execution);
    if (ending === null) return id;
    this.#end(kept, ending);
    this.#kept.delete(id);
    throw cancelled(`the terminal was ended at once: ${ending.reason}`);
  }

  #endOf(kept: KeptTerminal): Ending | null {
    return this.#stopped ?? endOfLease(kept, this.#parts);
  }

  #end(kept: KeptTerminal, ending: Ending, how: "politely" | "at once" = "at once"): void {
    if (kept.terminal.end !== null) return;
    kept.ending ??= { ...ending, reason: printable(ending.reason, LIMITS.reasonChars) };
    if (how === "politely") kept.terminal.hangUp();
    else kept.terminal.kill();
  }

  #ended(kept: KeptTerminal): void {
    kept.recorder.end();
    const body = closingOf(kept);
    this.#parts.record(this.#entryOf(kept.opening, { type: "terminal.closed", body }));
  }

  /** Records of a terminal are charged to its session. */
  #entryOf(
    { session, actor, quota }: Execution,
    entry: Pick<JournalEntry & { readonly type: "terminal.recorded" | "terminal.closed" }, "type" | "body">,
  ): JournalEntry {
    const whole = { ...entry, actor, session, execution: null } as JournalEntry;
    quota.spend(entryBytes(whole), this.#parts.clock.monotonicUs());
    return whole;
  }

  /** Of a session's ended terminals, as many are kept as may run. */
  #forgetOldest(session: SessionId): void {
    const ended = [...this.#kept.values()].filter(
      ({ opening, terminal }) => opening.session === session && terminal.end !== null,
    );
    for (const { id } of ended.slice(0, -LIMITS.terminalsPerSession)) this.#kept.delete(id);
  }

  #reviewLater(): void {
    this.#cancelReview ??= this.#parts.clock.after(LIMITS.terminalReviewMs, () => {
      this.#cancelReview = null;
      this.review();
      if (this.running > 0) this.#reviewLater();
    });
  }
}

function cancelled(reason: string): FemtoError {
  return new FemtoError("FEMTO_CAPABILITY_CANCELLED", reason);
}
