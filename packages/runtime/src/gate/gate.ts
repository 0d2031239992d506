/**
 * The one gate. Every surface proposes here, and nothing else starts a capability. The steps are: parse, look up,
 * validate, take facts, decide, ask if policy asks, commit the intent, execute, commit the outcome, answer.
 */
import assert from "node:assert/strict";
import {
  type ErrorCode,
  type ExecutionId,
  errorText,
  FemtoError,
  type Reply,
  type SessionId,
  traceContext,
} from "@femtoclaw/protocol";
import type { DrivenExecution } from "../actors/driven-execution.ts";
import { harmless } from "../harmless.ts";
import type { Unended } from "../outputs/outputs.ts";
import { recordedLabel } from "../sessions/recorded-label.ts";
import { Admission, type Proposal } from "./admission/admission.ts";
import { RefusalCounts } from "./admission/refusal-counts.ts";
import { haltOf } from "./admission/session-halt.ts";
import { holdLease } from "./effects/launch-lease.ts";
import { Endings } from "./endings.ts";
import { abort, type Execution, newExecution } from "./execution.ts";
import type { GateParts } from "./gate-parts.ts";
import { onAbort } from "./on-abort.ts";
import { PresentCalls, type Underway } from "./present-calls.ts";
import { AwaitedReplies } from "./questions/awaited-replies.ts";
import { Questions, type Settlement } from "./questions/questions.ts";
import { revive, settledProblem } from "./questions/revival.ts";
import type { WaitingCall } from "./questions/waiting-call.ts";
import { Steps } from "./steps.ts";

const CANCELLED = "its proposer cancelled it";

export class Gate {
  readonly #parts: GateParts;
  readonly #present = new PresentCalls();
  readonly #awaited = new AwaitedReplies();
  readonly #counts = new RefusalCounts();
  readonly #admission: Admission;
  readonly #endings: Endings;
  readonly #steps: Steps;
  /** Calls that wait for operators. */
  readonly questions: Questions;

  constructor(parts: GateParts) {
    this.#parts = parts;
    this.#admission = new Admission(parts, this.#counts);
    this.questions = new Questions({
      clock: parts.clock,
      settings: parts.approvals,
      log: parts.log,
      append: (entry) => parts.append(entry),
      admission: () => parts.admission(),
      isOpen: (session) => parts.isOpen(session as SessionId),
      settle: (call, how, reason) => this.resume(call, how, reason),
    });
    this.#endings = new Endings(parts, this.#counts);
    this.#steps = new Steps(parts, {
      questions: this.questions,
      endings: this.#endings,
      onMarked: (execution) => this.#endWhatIsForbiddenNow(execution),
    });
  }

  /** Number of executions in the gate. Those that wait for operators have left it. */
  get running(): number {
    return this.#present.count;
  }

  /** Calls refused without a record of their own since the last call of this method, by error code. */
  takeRefusalCounts(): ReadonlyMap<ErrorCode, number> {
    return this.#counts.takeAll();
  }

  /**
   * Decides on the proposal and, if permitted, executes it. Resolves when the outcome is durable, or the question to
   * operators for which the call then waits. Never throws for anything that a proposer can cause.
   */
  async propose(proposal: Proposal): Promise<Reply> {
    const id = this.#parts.newId() as ExecutionId;
    const label = proposal.label === undefined ? null : recordedLabel(proposal.label);
    const trace = proposal.trace === undefined ? null : traceContext(proposal.trace);
    const { session, signal } = proposal;
    const underway: Underway = { session, cancelled: false };
    let execution: Execution | null = null;
    // INVARIANT: I9: what a proposer passed in is called before the call takes a place, which would be lost if it threw.
    using _ = onAbort(signal, () => {
      underway.cancelled = true;
      if (execution !== null) this.#stop(execution, CANCELLED);
    });
    this.#present.enter(id, underway);
    if (proposal.onIdentified !== undefined) harmless("the listener `onIdentified`", proposal.onIdentified)(id);
    const entered = await this.#admission.enter(id, proposal).catch((error: unknown) => this.#failed(id, error));
    if (!("release" in entered)) {
      this.#leave(id);
      this.#answered(id, entered);
      return entered;
    }
    const { release, leave } = entered;
    const receivedUs = this.#parts.clock.monotonicUs();
    const came = { id, label, trace, waited: null, lost: null, receivedUs, release, leave };
    execution = newExecution(came, proposal);
    const { launch } = proposal;
    if (underway.cancelled) this.#stop(execution, CANCELLED);
    using _lease = launch === undefined ? null : this.#lease(execution);
    return await this.#run(execution, () => this.#parts.spawn(id));
  }

  /**
   * The reply with which a call ends, once it does; null if the call is neither in the gate nor waiting for operators.
   * Rejects once `left` is aborted, and with FEMTO_EXECUTION_NOT_FOUND if the call joins another one.
   */
  wait(id: ExecutionId, left?: AbortSignal): Promise<Reply> | null {
    return this.unended(id) === null ? null : this.#awaited.of(id, left);
  }

  /** Describes an execution that has not ended; null for any other. */
  unended(execution: string): Unended | null {
    const id = execution as ExecutionId;
    const running = this.#present.execution(id);
    if (running !== undefined) return { session: running.session, isWaiting: false };
    const waiting = this.#present.underway(id) ?? this.questions.open.of(id);
    return waiting === undefined ? null : { session: waiting.session as SessionId, isWaiting: true };
  }

  /** Asks an execution of this session to end. True if the execution is known and has not ended. */
  cancel(session: SessionId, id: ExecutionId): boolean {
    const execution = this.#present.execution(id);
    const underway = this.#present.underway(id);
    if (execution === undefined && underway === undefined) return this.questions.cancel(session, id);
    if ((execution ?? underway)?.session !== session) return false;
    if (execution !== undefined) this.#stop(execution, CANCELLED);
    if (underway !== undefined) underway.cancelled = true;
    return true;
  }

  /**
   * Stops all executions of one session that have not ended, and ends its questions. Returns how many there were of
   * both.
   */
  stopSession(session: SessionId, reason: string): number {
    const stopped = this.#present.runningOf(session);
    const waiting = this.questions.open.ofSession(session).length;
    for (const execution of stopped) this.#stop(execution, reason);
    this.questions.halt(session, reason);
    return stopped.length + waiting;
  }

  /**
   * Stops every execution that has not ended, either before its effect or by aborting it. Calls that wait for operators
   * keep waiting.
   */
  stopAll(reason: string): void {
    for (const execution of this.#present.running) this.#stop(execution, reason);
  }

  /** Resolves when no execution is in the gate. */
  idle(): Promise<void> {
    return this.#present.idle();
  }

  /** Why something that a call of this gate began would not be permitted now; null if it would be. */
  forbiddenNow(execution: Execution): string | null {
    return this.#steps.forbiddenNow(execution);
  }

  /**
   * Stops watching calls that wait for operators. Everyone who awaits such a call is told to wait again after the next
   * start.
   */
  close(): void {
    this.questions.stop();
    this.#awaited.close();
  }

  /** Resumes a call whose question is settled, by an answer or without one. */
  resume(call: WaitingCall, how: Settlement, reason: string): void {
    const underway: Underway = { session: call.session as SessionId, cancelled: false };
    this.#present.revive(call.execution, underway);
    this.#revived(call, how, reason, underway).catch((error: unknown) => {
      // A question that cannot be read stays open in the journal, and is tried again at the next start.
      this.#awaited.failed(call.execution, error);
      this.#parts.lost(call.execution, errorText(error));
      this.#leave(call.execution);
    });
  }

  async #revived(call: WaitingCall, how: Settlement, reason: string, underway: Underway): Promise<void> {
    const execution = await revive(call, this.#parts);
    if (underway.cancelled) this.#stop(execution, CANCELLED);
    if (how !== "granted") {
      const { problem, decision } = settledProblem(how, reason);
      this.#endings.refuse(execution, how, problem, decision);
    }
    await this.#run(execution, () => {
      const driven = this.#parts.resume(execution.id);
      driven.send({ type: how });
      return driven;
    });
  }

  #lease(execution: Execution): Disposable {
    return holdLease(execution, {
      ...this.#parts,
      forbidden: (launched) => this.#steps.forbiddenSince(launched),
      stop: (launched, reason) => this.#stop(launched, reason),
    });
  }

  #stop(execution: Execution, reason: string): void {
    execution.stopReason ??= reason;
    abort(execution, new FemtoError("FEMTO_CAPABILITY_CANCELLED", reason));
  }

  /** Effects that began before their principal was marked go on only if they would still be permitted. */
  #endWhatIsForbiddenNow({ id, actor }: Execution): void {
    for (const other of this.#present.running) {
      if (other.committing === null || other.id === id || other.actor.principal !== actor.principal) continue;
      const reason = this.#steps.forbiddenSince(other);
      if (reason !== null) this.#stop(other, `it is forbidden since another call was permitted: ${reason}`);
      else other.connections?.review();
    }
    this.#parts.terminals.review();
  }

  async #run(execution: Execution, start: () => DrivenExecution): Promise<Reply> {
    this.#present.run(execution);
    try {
      const driven = start();
      for (;;) {
        const snapshot = driven.getSnapshot();
        if (snapshot.status !== "active") break;
        // A waiting call holds no slot, no descriptor and no actor: it is only a record.
        if (snapshot.value === "awaitingApproval") {
          this.#parts.evict(execution.id);
          break;
        }
        const outcome = this.#steps.take(execution, snapshot.value);
        driven.send({ type: outcome instanceof Promise ? await outcome : outcome });
        assert(driven.getSnapshot() !== snapshot, `the event is not possible in state ${String(snapshot.value)}`);
      }
    } catch (error) {
      this.#awaited.failed(execution.id, error);
      throw error;
    } finally {
      // INVARIANT: I9: the place is given back, whatever third-party code does with what it prepared.
      harmless("the end of what a capability prepared", () => execution.prepared?.effect[Symbol.dispose]())();
      execution.release?.();
      execution.releaseRoom?.();
      execution.leave({ withPause: execution.ending?.entry.type === "execution.refused" });
      this.#leave(execution.id);
      // Its outcome is durable by now, and everybody who waits is told of it, whatever the system says to a descriptor.
      harmless("the release of what a call held open", () => execution.bound?.[Symbol.asyncDispose]())();
    }
    assert(execution.reply !== null, "an execution that leaves the gate has a reply");
    this.#answered(execution.id, execution.reply);
    if (execution.reply.status === "pending") this.#endUnwanted(execution);
    return execution.reply;
  }

  /** Ends a question if its call was cancelled, or its session halted, while the question was being written. */
  #endUnwanted({ id, session, stopReason }: Execution): void {
    const halted = haltOf(this.#parts.histories, session);
    if (halted !== null) this.questions.halt(session, halted.reason);
    else if (stopReason === CANCELLED) this.questions.cancel(session, id);
  }

  /** Tells those who wait for the execution, unless it now waits for operators. */
  #answered(id: ExecutionId, reply: Reply): void {
    if (reply.status !== "pending") this.#awaited.ended(id, reply);
    else if (reply.execution_id !== id) this.#awaited.joined(id);
  }

  #failed(id: ExecutionId, error: unknown): never {
    this.#awaited.failed(id, error);
    this.#leave(id);
    throw error;
  }

  #leave(id: ExecutionId): void {
    this.#present.leave(id);
    if (this.questions.open.of(id) === undefined) this.#parts.outputs.ended(id);
  }
}
