/**
 * Calls that wait for operators: how many there may be, who may answer what, and when the time for an answer is over. A
 * waiting call is only a record; this keeps what an answer is checked against.
 */
import type { Clock, JournalEntry } from "@femtoclaw/journal";
import { type Answered, type ApprovalAnsweredBody, FemtoError, LIMITS, printable } from "@femtoclaw/protocol";
import type { ApprovalSettings } from "../../configuration/resolved-configuration.ts";
import { operatorActor } from "../../operators/operator-actor.ts";
import type { Problem } from "../verdict.ts";
import { type Answer, openSigned, operatorName, requireSignature, type VouchedAnswer } from "./answers.ts";
import { Deadlines, expiredAt } from "./deadlines.ts";
import { OpenCalls } from "./open-calls.ts";
import { SessionQuestions } from "./session-questions.ts";
import type { WaitingCall } from "./waiting-call.ts";

/** LIMIT: bytes of arguments with secrets that wait. No record holds them, so they are in memory for as long as that. */
const SECRET_BYTES_MAX = 16 << 20;

/** How a question is settled. */
export type Settlement = "granted" | "refused" | "expired" | "cancelled" | "halted";

interface QuestionsParts {
  readonly clock: Clock;
  readonly settings: ApprovalSettings;
  /** Name of the log for which answers are signed. */
  readonly log: string;
  append(entry: JournalEntry): Promise<{ readonly seq: number }>;
  /** Null while calls are taken, else the reason why not. */
  admission(): Problem | null;
  /** Whether the proposer of a session is still there. */
  isOpen(session: string): boolean;
  /** Resumes a call whose question is settled. */
  settle(call: WaitingCall, how: Settlement, reason: string): void;
}

export class Questions {
  readonly #parts: QuestionsParts;
  readonly #open: OpenCalls;
  /** Questions whose answer is on its way to the disk, each with what ends the question if that answer does not. */
  readonly #answering = new Map<number, { how: Settlement; reason: string } | null>();
  /** Number of questions on their way to the disk, by session. */
  readonly #pending = new Map<string, number>();
  /** Bytes of arguments with secrets, of these questions. */
  #pendingSecretBytes = 0;
  readonly #sessions: SessionQuestions;
  readonly #deadlines: Deadlines;

  constructor(parts: QuestionsParts) {
    this.#parts = parts;
    this.#sessions = new SessionQuestions(parts);
    this.#open = new OpenCalls(parts.clock);
    this.#deadlines = new Deadlines(parts.clock, this.#open, (call) => {
      if (!this.#answering.has(call.seq)) this.#settle(call, "expired", expiredAt(call));
    });
  }

  get open(): Omit<OpenCalls, "put" | "delete" | "clear"> {
    return this.#open;
  }

  /** The waiting call whose question has this identifier. */
  named(id: string): WaitingCall | undefined {
    const call = this.#open.get(Number(id));
    return call !== undefined && String(call.seq) === id ? call : undefined;
  }

  /** The open question of the same session about the same call. Nothing is asked twice at a time. */
  same(session: string, digest: string): WaitingCall | undefined {
    return this.#open.ofSession(session).find((call) => call.digest === digest);
  }

  // INVARIANT: I9: a place is taken before the question is written, so that many at once count like many one by one.
  /**
   * Takes a place for one question of the session, which `add` fills or `abandon` gives back. Returns the reason if
   * there is no place. `secretBytes` is what has to be kept in memory for it.
   */
  admit(session: string, secretBytes: number): Problem | null {
    const { perSession, atOnce } = this.#parts.settings;
    const pending = [...this.#pending.values()].reduce((sum, count) => sum + count, 0);
    const mine = this.#open.ofSession(session).length + (this.#pending.get(session) ?? 0);
    if (mine >= perSession) return limit(`${mine} questions of this session wait for an operator`);
    const all = this.#open.size + pending;
    if (all >= atOnce) return limit(`${all} questions wait for an operator`);
    if (secretBytes > 0 && this.#open.secretBytes + this.#pendingSecretBytes + secretBytes > SECRET_BYTES_MAX) {
      return limit("calls that hold secrets wait, and there is no room to keep another one as large as this");
    }
    const problem = this.#sessions.admit(session);
    if (problem !== null) return problem;
    this.#pending.set(session, (this.#pending.get(session) ?? 0) + 1);
    this.#pendingSecretBytes += secretBytes;
    return null;
  }

  /** Gives the place back because the question could not be written. */
  abandon(session: string, secretBytes: number): void {
    this.#pendingSecretBytes -= secretBytes;
    const left = (this.#pending.get(session) ?? 0) - 1;
    if (left > 0) this.#pending.set(session, left);
    else this.#pending.delete(session);
  }

  /** Adds a call that waits from now on. */
  add(call: WaitingCall): void {
    this.abandon(call.session, call.secretBytes);
    this.#open.put(call);
    this.#deadlines.watch();
  }

  /** The question whose yes also covers this call of the session; undefined if operators must be asked. */
  granted(session: string, revision: string, digest: string): number | undefined {
    return this.#sessions.granted(session, revision, digest);
  }

  /** Takes an answer from somebody who has access to the operator's socket. */
  async answer(answer: Answer): Promise<Answered> {
    return await this.#take({ ...answer, signed: null });
  }

  /** Takes an answer that an operator signed, here or elsewhere; the note holds all of it. */
  async answerSigned(note: string): Promise<Answered> {
    const { clock, log, settings } = this.#parts;
    return await this.#take(openSigned(note, { log, settings, nowUs: clock.nowUs() }));
  }

  // INVARIANT: I8: an answer is given to the digest that the operator saw. It is durable before anything follows from
  // it, and it is taken once: a second answer finds no such question.
  async #take(vouched: VouchedAnswer): Promise<Answered> {
    const { id, answer, scope, reason, signed } = vouched;
    const call = this.#answerable(vouched);
    const by = signed?.vkey ?? vouched.by;
    const granted = answer === "granted" ? [...call.granted, by] : call.granted;
    const complete = answer === "refused" || granted.length >= call.approvers;
    const said = reason === undefined ? null : printable(reason.trim(), LIMITS.reasonChars);
    const settled = { ...call, granted };
    this.#answering.set(call.seq, null);
    try {
      const { seq } = await this.#parts.append({
        type: "approval.answered",
        actor: operatorActor(vouched.by),
        session: call.session,
        execution: call.execution,
        body: {
          question: call.seq,
          tool: call.tool,
          digest: call.digest,
          answer,
          complete,
          scope,
          reason: said,
          self_approvable: signed === null,
          ...signatureOf(vouched),
        },
      });
      if (!complete) this.#replace(settled);
      else this.#settleAnswered(settled, answer, scope, said, vouched.by);
      const { execution: execution_id, approvers } = call;
      return { seq, complete, id, execution_id, answer, granted: granted.map(operatorName), approvers };
    } finally {
      this.#answered(call.seq);
    }
  }

  /** Ends the call because its proposer no longer wants it. False if no question of the session waits for this call. */
  cancel(session: string, execution: string): boolean {
    const call = this.#open.of(execution);
    if (call === undefined || call.session !== session || this.#answering.has(call.seq)) return false;
    this.#settle(call, "cancelled", "its proposer cancelled it");
    return true;
  }

  /** Ends the questions of a session that an operator halts. */
  halt(session: string, reason: string): void {
    for (const call of [...this.#open.ofSession(session)]) this.#end(call, "halted", reason);
  }

  /** Withdraws a question about a call that is denied by now. */
  withdraw(call: WaitingCall, reason: string): void {
    if (this.#open.get(call.seq) !== undefined) this.#end(call, "refused", reason);
  }

  /** Forgets a session that is over. It asks nothing more; its open questions keep waiting. */
  forget(session: string): void {
    this.#sessions.forget(session);
  }

  /** Stops watching the time. Waiting calls go on after the next start. */
  stop(): void {
    this.#deadlines.stop();
    this.#open.close();
  }

  #answerable(vouched: VouchedAnswer): WaitingCall {
    const { id, digest, answer, scope, signed } = vouched;
    const call = this.named(id);
    const shown = `question ${printable(id, 32)}`;
    if (call === undefined) throw new FemtoError("FEMTO_APPROVAL_NOT_FOUND", `${shown} is not open`);
    const closed = this.#parts.admission();
    if (closed !== null) throw new FemtoError(closed.code, `${shown} cannot be answered now: ${closed.reason}`);
    if (this.#answering.has(call.seq)) {
      const fix = "Check with `femtoclaw approvals list` whether it is still open, then answer it.";
      throw new FemtoError("FEMTO_APPROVAL_NOT_FOUND", `${shown} is being answered`, { fix });
    }
    if (this.#deadlines.isOver(call)) {
      this.#settle(call, "expired", expiredAt(call));
      throw new FemtoError("FEMTO_APPROVAL_NOT_FOUND", `${shown} has expired`);
    }
    if (digest !== call.digest) throw new FemtoError("FEMTO_APPROVAL_MISMATCH", `${shown} asks about something else`);
    requireSignature(vouched, call.approvers, this.#parts.settings);
    if (scope === "session" && call.approvers > 1) {
      const fix = "Answer without `--session`. A question to several operators is asked each time.";
      throw new FemtoError("FEMTO_APPROVAL_MISMATCH", `${shown} is answered once, not for a session`, { fix });
    }
    if (answer === "granted" && call.granted.includes(signed?.vkey ?? vouched.by)) {
      const fix = "Let another operator answer.";
      throw new FemtoError("FEMTO_APPROVAL_MISMATCH", `${printable(vouched.by)} has said yes to it already`, { fix });
    }
    return call;
  }

  /** Updates a call after one more yes that is not the last one needed. */
  #replace(call: WaitingCall): void {
    if (this.#open.get(call.seq) !== undefined) this.#open.put(call);
  }

  /** If the question was to be ended in the meantime and still waits, ends it now. */
  #answered(seq: number): void {
    const end = this.#answering.get(seq) ?? null;
    const call = this.#open.get(seq);
    this.#answering.delete(seq);
    if (end !== null && call !== undefined) this.#settle(call, end.how, end.reason);
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

  /** Ends a question, unless an answer is on its way to the disk; then that answer ends it. */
  #end(call: WaitingCall, how: Settlement, reason: string): void {
    if (this.#answering.has(call.seq)) this.#answering.set(call.seq, { how, reason });
    else this.#settle(call, how, reason);
  }

  #settle(call: WaitingCall, how: Settlement, reason: string): void {
    this.#open.delete(call.seq);
    this.#parts.settle(call, how, reason);
  }
}

function signatureOf({ signed }: VouchedAnswer): Pick<ApprovalAnsweredBody, "key" | "signature"> {
  if (signed === null) return {};
  const { vkey: key, signature, statement } = signed;
  const { log, signedAt: signed_at, expiresAt: expires_at } = statement;
  return { key, signature: { log, signed_at, expires_at, signature } };
}

function limit(reason: string): Problem {
  return { code: "FEMTO_APPROVAL_LIMIT", reason };
}
