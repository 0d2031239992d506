/**
 * Calls that wait for operators: how many may, who may answer what, and when the time for it is over. A
 * waiting call is a record; what stands here is what an answer is checked against.
 */
import type { JsonObject } from "@femtoclaw/capabilities";
import type { Clock, JournalEntry } from "@femtoclaw/journal";
import { type ExecutionId, FemtoError, LIMITS, printable } from "@femtoclaw/protocol";
import { operatorActor } from "../operator-actor.ts";
import { SessionQuestions } from "./session-questions.ts";
import type { Problem } from "./verdict.ts";

export interface WaitingCall {
  /** Sequence number of the question's record, and identifier of the approval. */
  readonly seq: number;
  readonly execution: ExecutionId;
  readonly session: string;
  readonly tool: string;
  readonly revision: string;
  /** Of the call, its facts and the rules that ask: an answer is to this. */
  readonly digest: string;
  readonly rules: readonly string[];
  readonly approvers: number;
  /** Operators who have said yes. */
  readonly granted: readonly string[];
  /** On the wall clock, for people and for the time after a restart. */
  readonly expiresUs: number;
  /** On the clock of this boot, which nobody sets. */
  readonly deadlineUs: number;
  /** Arguments that hold secrets, which are in no record: they live as long as this boot. */
  readonly secretArgs: JsonObject | null;
}

/** How a question is settled. */
export type Settlement = "granted" | "refused" | "expired" | "cancelled" | "halted";

export interface Answer {
  /** Identifier of the approval. */
  readonly id: string;
  readonly answer: "granted" | "refused";
  /** Digest of what the operator saw. */
  readonly digest: string;
  readonly scope: "once" | "session";
  readonly reason?: string;
  /** Who answers. */
  readonly by: string;
}

export interface QuestionsParts {
  readonly clock: Clock;
  readonly perSession: number;
  append(entry: JournalEntry): Promise<{ readonly seq: number }>;
  /** Null while calls are taken, else why not. */
  admission(): Problem | null;
  /** Goes on with a call whose question is settled. */
  settle(call: WaitingCall, how: Settlement, reason: string): void;
}

/** LIMIT: time between two looks at the wall clock, which somebody may have set forward. */
const LOOK_MS = 10_000;

export class Questions {
  readonly #parts: QuestionsParts;
  /** By identifier, the oldest first. */
  readonly #open = new Map<string, WaitingCall>();
  /** Questions whose answer is on its way to the disk. */
  readonly #answering = new Set<string>();
  /** Questions on their way to the disk, by session. */
  readonly #pending = new Map<string, number>();
  readonly #sessions: SessionQuestions;
  #cancelLook: (() => void) | null = null;

  constructor(parts: QuestionsParts) {
    this.#parts = parts;
    this.#sessions = new SessionQuestions(parts.clock);
  }

  /** The oldest first. */
  get open(): readonly WaitingCall[] {
    return [...this.#open.values()];
  }

  has(execution: string): boolean {
    return this.#of(execution) !== undefined;
  }

  /** The question that the same session has asked about the same call; it is not asked twice at a time. */
  same(session: string, digest: string): WaitingCall | undefined {
    return this.open.find((call) => call.session === session && call.digest === digest);
  }

  // INVARIANT: I9: a place is taken before the question is written, so that many at once are as many as one by one.
  /** Takes a place for one question of the session, which `add` fills or `abandon` gives back; else says why there is none. */
  admit(session: string): Problem | null {
    const pending = [...this.#pending.values()].reduce((sum, count) => sum + count, 0);
    const mine = this.open.filter((call) => call.session === session).length + (this.#pending.get(session) ?? 0);
    if (mine >= this.#parts.perSession) return limit(`${mine} questions of this session wait for an operator`);
    const all = this.#open.size + pending;
    if (all >= LIMITS.approvals) return limit(`${all} questions wait for an operator`);
    const problem = this.#sessions.admit(session);
    if (problem === null) this.#pending.set(session, (this.#pending.get(session) ?? 0) + 1);
    return problem;
  }

  /** The question could not be written. */
  abandon(session: string): void {
    const left = (this.#pending.get(session) ?? 0) - 1;
    if (left > 0) this.#pending.set(session, left);
    else this.#pending.delete(session);
  }

  /** A call that waits from now on. */
  add(call: WaitingCall): void {
    this.abandon(call.session);
    this.#open.set(String(call.seq), call);
    this.#arm();
  }

  /** The question whose yes also covers this call of the session; undefined where it has to be asked. */
  granted(session: string, revision: string, digest: string): number | undefined {
    return this.#sessions.granted(session, revision, digest);
  }

  // INVARIANT: I8: an answer is to the digest that the operator saw, durable before anything follows from it,
  // and taken once: whoever comes second finds no such question.
  async answer({ id, answer, digest, scope, reason, by }: Answer): Promise<{ seq: number; complete: boolean }> {
    const call = this.#answerable(id, digest);
    if (answer === "granted" && call.granted.includes(by)) {
      const fix = "Let another operator answer.";
      throw new FemtoError("FEMTO_APPROVAL_MISMATCH", `${printable(by)} has said yes to it already`, { fix });
    }
    const granted = answer === "granted" ? [...call.granted, by] : call.granted;
    const complete = answer === "refused" || granted.length >= call.approvers;
    const said = reason === undefined ? null : printable(reason.trim(), LIMITS.reasonChars);
    this.#answering.add(id);
    try {
      const { seq } = await this.#parts.append({
        type: "approval.answered",
        actor: operatorActor(by),
        session: call.session,
        execution: call.execution,
        body: {
          ...{ question: call.seq, tool: call.tool, digest: call.digest, answer, complete, scope },
          reason: said,
          self_approvable: true,
        },
      });
      if (!complete) this.#open.set(id, { ...call, granted });
      else this.#settleAnswered(call, answer, scope, said, by);
      return { seq, complete };
    } finally {
      this.#answering.delete(id);
    }
  }

  /** The proposer wants its call no more. False where no question of the session waits for it. */
  cancel(session: string, execution: string): boolean {
    const call = this.#of(execution);
    if (call === undefined || call.session !== session || this.#answering.has(String(call.seq))) return false;
    this.#settle(call, "cancelled", "its proposer cancelled it");
    return true;
  }

  /** Ends the questions of a session that an operator halts. */
  halt(session: string, reason: string): void {
    for (const call of this.open) {
      if (call.session === session && !this.#answering.has(String(call.seq))) this.#settle(call, "halted", reason);
    }
  }

  /** What is denied by now is asked no more. */
  withdraw(call: WaitingCall, reason: string): void {
    const id = String(call.seq);
    if (this.#open.has(id) && !this.#answering.has(id)) this.#settle(call, "refused", reason);
  }

  /** A session that is over asks nothing more; its open questions wait on. */
  forget(session: string): void {
    this.#sessions.forget(session);
  }

  /** Looks at the time no more; what waits goes on after the next start. */
  stop(): void {
    this.#cancelLook?.();
    this.#cancelLook = null;
    this.#open.clear();
  }

  #answerable(id: string, digest: string): WaitingCall {
    const call = this.#open.get(id);
    const shown = `question ${printable(id, 32)}`;
    if (call === undefined) throw new FemtoError("FEMTO_APPROVAL_NOT_FOUND", `${shown} is not open`);
    const closed = this.#parts.admission();
    if (closed !== null) throw new FemtoError(closed.code, `${shown} cannot be answered now: ${closed.reason}`);
    if (this.#answering.has(id)) throw new FemtoError("FEMTO_APPROVAL_NOT_FOUND", `${shown} is being answered`);
    if (this.#isOver(call)) {
      this.#settle(call, "expired", expiredAt(call));
      throw new FemtoError("FEMTO_APPROVAL_NOT_FOUND", `${shown} has expired`);
    }
    if (digest !== call.digest) throw new FemtoError("FEMTO_APPROVAL_MISMATCH", `${shown} asks about something else`);
    return call;
  }

  #settleAnswered(
    call: WaitingCall,
    answer: Answer["answer"],
    scope: Answer["scope"],
    said: string | null,
    by: string,
  ): void {
    const { session, revision, digest, seq } = call;
    this.#sessions.answered(session, answer);
    if (answer === "granted" && scope === "session") this.#sessions.grant(session, revision, digest, seq);
    this.#settle(call, answer, said ?? `${by} said ${answer === "granted" ? "yes" : "no"} to it`);
  }

  #settle(call: WaitingCall, how: Settlement, reason: string): void {
    this.#open.delete(String(call.seq));
    this.#parts.settle(call, how, reason);
  }

  #of(execution: string): WaitingCall | undefined {
    return this.open.find((call) => call.execution === execution);
  }

  // INVARIANT: a clock that is set forward ends a question early; set back, it gains no time.
  #isOver({ expiresUs, deadlineUs }: WaitingCall): boolean {
    const { clock } = this.#parts;
    return clock.nowUs() >= expiresUs || clock.monotonicUs() >= deadlineUs;
  }

  #arm(): void {
    if (this.#cancelLook !== null || this.#open.size === 0) return;
    const nowUs = this.#parts.clock.monotonicUs();
    const nextMs = Math.min(...this.open.map(({ deadlineUs }) => (deadlineUs - nowUs) / 1_000));
    const look = (): void => {
      this.#cancelLook = null;
      for (const call of this.open) {
        const isFree = !this.#answering.has(String(call.seq));
        if (isFree && this.#isOver(call)) this.#settle(call, "expired", expiredAt(call));
      }
      this.#arm();
    };
    this.#cancelLook = this.#parts.clock.after(Math.min(Math.max(nextMs, 1), LOOK_MS), look, { unref: true });
  }
}

function limit(reason: string): Problem {
  return { code: "FEMTO_APPROVAL_LIMIT", reason };
}

function expiredAt({ expiresUs }: WaitingCall): string {
  return `no operator answered by ${new Date(expiresUs / 1_000).toISOString()}`;
}
