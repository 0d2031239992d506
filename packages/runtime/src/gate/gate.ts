/**
 * The one gate. Every surface proposes here, and nothing else starts a capability: parse, look up,
 * validate, take facts, decide, commit the intent, execute, commit the outcome, answer. The execution
 * machine says which step is next; this file says what each step does.
 */
import assert from "node:assert/strict";
import type { JsonObject } from "@femtoclaw/capabilities";
import { type JournalEntry, redact } from "@femtoclaw/journal";
import type { ExecutionEvent, ExecutionState } from "@femtoclaw/machines";
import {
  describeViolations,
  type ErrorCode,
  type ExecutionId,
  errorText,
  FemtoError,
  LIMITS,
  parseMessage,
  printable,
  type Reply,
  type SessionId,
} from "@femtoclaw/protocol";
import { timestamp } from "../timestamp.ts";
import { Admission, type Entry, type Proposal } from "./admission.ts";
import { NO_SECRETS } from "./argument-validators.ts";
import { Decisions } from "./decisions.ts";
import { runEffect } from "./effect.ts";
import { entryBytes, haltEntry, intentEntry, messageEntry, outcomeEntry, refusalEntry } from "./entries.ts";
import type { Ending, Execution, RefusalEvent } from "./execution.ts";
import type { GateDecision, GateParts } from "./gate-parts.ts";
import { marksOf } from "./marks.ts";
import { RefusalCounts } from "./refusal-counts.ts";
import { budgetHalt, haltOf } from "./session-standing.ts";
import { type Problem, replyError, verdictOf } from "./verdict.ts";

type EventType = ExecutionEvent["type"];
type Step = (execution: Execution) => EventType | Promise<EventType>;
/** States in which the gate has work to do; it never asks for approval, and final states need nothing. */
type WorkedState = Exclude<ExecutionState, "awaitingApproval" | "completed" | "error">;

const UNRECORDABLE: Problem = {
  code: "FEMTO_SESSION_HALTED",
  reason: "nothing can be recorded of the session any more: it is over, or the disk does not keep up",
};

export class Gate {
  readonly #parts: GateParts;
  readonly #running = new Map<ExecutionId, Execution>();
  readonly #counts = new RefusalCounts();
  readonly #admission: Admission;
  readonly #decisions: Decisions;
  #idle: (() => void) | null = null;

  constructor(parts: GateParts) {
    this.#parts = parts;
    this.#admission = new Admission(parts, this.#counts);
    this.#decisions = new Decisions(parts);
  }

  /** Executions that entered the gate and have not left it. */
  get running(): number {
    return this.#running.size;
  }

  /** Calls refused without a record of their own since the last call of this method, by code. */
  takeRefusalCounts(): ReadonlyMap<ErrorCode, number> {
    return this.#counts.takeAll();
  }

  /** Decides and, if permitted, executes; resolves when the outcome is durable. Never throws for what a proposer can cause. */
  async propose(proposal: Proposal): Promise<Reply> {
    const id = this.#parts.newId() as ExecutionId;
    // Secrets go first: the half of one, which a cut leaves, does not look like one.
    const label = proposal.label === undefined ? null : printable(redact(proposal.label).value, LIMITS.labelChars);
    const entered = await this.#admission.enter(id, proposal);
    if (!("release" in entered)) return entered;
    return await this.#run(this.#begin(id, proposal, label, entered));
  }

  /** Asks an execution of the session to end; true when it is known and has not ended. */
  cancel(session: SessionId, id: ExecutionId): boolean {
    const execution = this.#running.get(id);
    if (execution === undefined || execution.session !== session) return false;
    this.#stop(execution, "its proposer cancelled it");
    return true;
  }

  /** Stops what has not ended of one session, as `stopAll` does of all; returns how many that are. */
  stopSession(session: SessionId, reason: string): number {
    const stopped = [...this.#running.values()].filter((execution) => execution.session === session);
    for (const execution of stopped) this.#stop(execution, reason);
    return stopped.length;
  }

  /** Stops every execution that has not ended: before its effect, or by aborting it. */
  stopAll(reason: string): void {
    for (const execution of this.#running.values()) this.#stop(execution, reason);
  }

  /** Resolves when no execution is in the gate. */
  async idle(): Promise<void> {
    if (this.#running.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  #stop(execution: Execution, reason: string): void {
    execution.stopReason ??= reason;
    execution.abort.abort(new FemtoError("FEMTO_CAPABILITY_CANCELLED", reason));
  }

  #begin(id: ExecutionId, proposal: Proposal, label: string | null, { release, leave }: Entry): Execution {
    const execution: Execution = {
      id,
      session: proposal.session,
      actor: proposal.actor,
      quota: proposal.quota,
      introduce: () => proposal.introduce(),
      label,
      bytes: proposal.bytes,
      receivedUs: this.#parts.clock.monotonicUs(),
      abort: new AbortController(),
      stopReason: null,
      call: null,
      capability: null,
      secrets: NO_SECRETS,
      facts: null,
      bound: null,
      marks: [],
      reservedBytes: 0,
      revision: null,
      rules: [],
      heldBack: null,
      committing: null,
      intent: null,
      ending: null,
      reply: null,
      release,
      leave,
      releaseRoom: null,
    };
    this.#running.set(id, execution);
    return execution;
  }

  async #run(execution: Execution): Promise<Reply> {
    try {
      const actor = this.#parts.spawn(execution.id);
      for (;;) {
        const snapshot = actor.getSnapshot();
        if (snapshot.status !== "active") break;
        const step: Step | undefined = this.#steps[snapshot.value as WorkedState];
        assert(step !== undefined, `the gate has no step for state ${String(snapshot.value)}`);
        const outcome = step(execution);
        actor.send({ type: outcome instanceof Promise ? await outcome : outcome });
        assert(actor.getSnapshot() !== snapshot, `the event is not possible in state ${String(snapshot.value)}`);
      }
    } finally {
      execution.release?.();
      execution.releaseRoom?.();
      execution.leave(execution.ending?.entry.type === "execution.refused");
      this.#running.delete(execution.id);
      if (this.#running.size === 0) this.#idle?.();
      await execution.bound?.[Symbol.asyncDispose]();
    }
    assert(execution.reply !== null, "an ended execution has a reply");
    return execution.reply;
  }

  /** State of the machine → the work to do there → the event that it ends in. */
  readonly #steps: Readonly<Record<WorkedState, Step>> = {
    inputReceived: () => "begin",
    protocolValidating: (execution) => this.#validate(execution),
    authorizationEvaluating: (execution) => this.#authorize(execution),
    intentCommitting: (execution) => this.#commitIntent(execution),
    capabilityExecuting: (execution) => this.#execute(execution),
    memoryCommitting: (execution) => this.#commitEnding(execution),
  };

  #validate(execution: Execution): EventType {
    const parsed = parseMessage(execution.bytes);
    if (!parsed.ok) return this.#refuse(execution, "invalid", parsed.fault);
    if ("message" in parsed.message) {
      execution.ending = { event: "message", entry: messageEntry(execution, parsed.message.message.content) };
      return "message";
    }
    const { tool, args } = parsed.message.tool_call;
    execution.call = parsed.message.tool_call;
    const registered = this.#parts.registered(tool);
    if (registered === undefined) {
      const reason = `no capability is called \`${printable(tool, LIMITS.labelChars)}\``;
      return this.#refuse(execution, "unknown", { code: "FEMTO_CAPABILITY_NOT_FOUND", reason });
    }
    execution.capability = registered.capability;
    execution.secrets = registered.secrets;
    if (!registered.enabled) {
      const reason = `the capability \`${tool}\` is disabled`;
      return this.#refuse(execution, "disabled", { code: "FEMTO_CAPABILITY_DISABLED", reason });
    }
    if (!registered.validators.input(args)) {
      const reason = `arguments: ${describeViolations(registered.validators.input.errors ?? [])}`;
      return this.#refuse(execution, "argumentsInvalid", { code: "FEMTO_ARGUMENTS_INVALID", reason });
    }
    return "valid";
  }

  async #authorize(execution: Execution): Promise<EventType> {
    const taken = await this.#decisions.takeFacts(execution);
    if (!taken.ok) return this.#refuse(execution, "factsFailed", { code: "FEMTO_FACTS_FAILED", reason: taken.reason });
    execution.facts = taken.facts;
    execution.bound = taken.bound;
    const denied = denialIn(this.#decisions.decide(execution));
    if (denied !== null) return await this.#deny(execution, denied);
    // However long it waits and runs now, it keeps no newcomer from its turn.
    execution.leave(false);
    execution.heldBack = await this.#takeEffectSlot(execution);
    if (execution.heldBack !== null) return "permitted";
    return await this.#numberIntent(execution);
  }

  /** A budget that is used up ends the session. What cannot be recorded ends the runtime itself, which takes no calls then. */
  async #deny(execution: Execution, problem: Problem): Promise<EventType> {
    const { histories, authority } = this.#parts;
    const over = problem.code === "FEMTO_BUDGET_EXCEEDED" ? budgetHalt(execution, histories, authority.budgets) : null;
    if (over !== null) await this.#append(execution, over).catch(() => undefined);
    return this.#refuse(execution, "denied", problem);
  }

  /**
   * INVARIANT: I5: the last decision and its intent's number come in one turn, in which nothing else gets a
   * number. So a call is decided on all that stands before it in the journal, and of two calls that race
   * the later one is decided on the mark, or the count, of the earlier.
   */
  async #numberIntent(execution: Execution): Promise<EventType> {
    const { call, capability, facts } = execution;
    assert(call !== null && capability !== null && facts !== null, "a permitted call has its facts");
    const isKnown = execution.introduce();
    execution.heldBack = isKnown ? haltOf(this.#parts.histories, execution.session) : UNRECORDABLE;
    if (execution.heldBack !== null) return "permitted";
    const denied = denialIn(this.#decisions.decideAnew(execution));
    if (denied !== null) return await this.#deny(execution, denied);
    execution.marks = marksOf(facts.questions, capability.manifest.effect, this.#parts.authority);
    execution.reservedBytes = this.#parts.registered(call.tool)?.outputBytes ?? 0;
    execution.committing = this.#append(execution, intentEntry(execution));
    if (execution.marks.length > 0) this.#endWhatIsForbiddenNow(execution);
    return "permitted";
  }

  /** What began before its principal was marked goes on only if it might begin now. */
  #endWhatIsForbiddenNow({ id, actor }: Execution): void {
    for (const other of this.#running.values()) {
      if (other.committing === null || other.id === id || other.actor.principal !== actor.principal) continue;
      const reason = this.#decisions.forbiddenSince(other);
      if (reason !== null) this.#stop(other, `it is forbidden since another call was permitted: ${reason}`);
    }
  }

  // INVARIANT: I1: the machine leaves this step for the effect only after the intent is durable, and an
  // intent is written only with room for its outcome: what happens can always be recorded.
  async #commitIntent(execution: Execution): Promise<EventType> {
    const { heldBack, committing } = execution;
    if (heldBack !== null) return this.#refuse(execution, "halted", heldBack);
    assert(committing !== null, "what is not held back is on its way");
    try {
      execution.intent = (await committing).seq;
    } catch (error) {
      return this.#commitFailed(execution, error);
    }
    const { stopReason } = execution;
    const stopped: Problem | null =
      stopReason === null
        ? this.#diskFull()
        : { code: "FEMTO_EXECUTION_HALTED", reason: `stopped before its effect began: ${stopReason}` };
    return stopped === null ? "committed" : this.#end(execution, "halted", false, stopped);
  }

  /** Waiting for the capability must not hold a place in the runtime's own stages, so the slot is exchanged. */
  async #takeEffectSlot(execution: Execution): Promise<Problem | null> {
    execution.release?.();
    execution.release = null;
    try {
      const slot = this.#parts.effects.acquire(execution.session);
      execution.release = slot instanceof Promise ? await slot : slot;
      const room = this.#parts.outcomes.acquire(execution.session);
      execution.releaseRoom = room instanceof Promise ? await room : room;
    } catch (error) {
      return { code: "FEMTO_OVERLOADED", reason: `too many effects wait: ${errorText(error)}` };
    }
    const full = this.#diskFull() ?? haltOf(this.#parts.histories, execution.session);
    if (full !== null && execution.stopReason === null) return full;
    const reason = execution.stopReason ?? this.#parts.admission()?.reason ?? this.#disabledMeanwhile(execution);
    return reason === null ? null : { code: "FEMTO_EXECUTION_HALTED", reason };
  }

  /** On a full disk no effect begins, also of a call whose intent could still be written. */
  #diskFull(): Problem | null {
    const closed = this.#parts.admission();
    return closed?.code === "FEMTO_DISK_FULL" ? closed : null;
  }

  /** An operator who disables a capability means the calls that wait, too. */
  #disabledMeanwhile({ call }: Execution): string | null {
    const enabled = call !== null && this.#parts.registered(call.tool)?.enabled === true;
    return enabled ? null : "its capability was disabled while it waited";
  }

  async #execute(execution: Execution): Promise<EventType> {
    const { call, bound } = execution;
    assert(call !== null && bound !== null, "only a decided call executes");
    const registered = this.#parts.registered(call.tool);
    // The last moment: from here on a stop reaches the capability by its signal.
    if (registered === undefined || execution.stopReason !== null) {
      const reason = `stopped before its effect began: ${execution.stopReason ?? "the registry is down"}`;
      return this.#end(execution, "cancelled", false, { code: "FEMTO_EXECUTION_HALTED", reason });
    }
    const outcome = await runEffect(this.#parts, execution, registered, call.args as JsonObject, bound);
    execution.release?.();
    execution.release = null;
    if (outcome.event === "succeeded") {
      const durationUs = outcome.durationUs;
      const entry = outcomeEntry(execution, { ...outcome, began: true, durationUs });
      execution.quota.earn(this.#parts.clock.monotonicUs());
      execution.ending = { event: "succeeded", entry, result: outcome.result };
      return "succeeded";
    }
    const problem = { code: outcome.code, reason: outcome.reason, fix: outcome.fix };
    return this.#end(execution, outcome.event, true, problem, outcome.durationUs, outcome.sandbox);
  }

  async #commitEnding(execution: Execution): Promise<EventType> {
    const { ending } = execution;
    assert(ending !== null, "an ending execution says how it ends");
    try {
      if (await this.#isCollapsed(execution, ending)) return "collapsed";
      const { seq } = await this.#append(execution, ending.entry);
      execution.reply = this.#reply(execution, ending, seq);
      return "committed";
    } catch (error) {
      return this.#commitFailed(execution, error);
    }
  }

  /**
   * A refusal that its session's quota has no room for is answered and counted, and has no record of its
   * own. A permitted call that the runtime itself kept from beginning is nothing that a session is halted for.
   */
  async #isCollapsed(execution: Execution, ending: Ending): Promise<boolean> {
    const { entry, error } = ending;
    if (entry.type !== "execution.refused" || verdictOf(ending.event).decision === "AUTHORIZED") return false;
    assert(error !== undefined, "a refusal says why");
    const verdict = execution.quota.refuse(entryBytes(entry), this.#parts.clock.monotonicUs());
    if (verdict === "record") return false;
    this.#counts.add(entry.body.error.code as ErrorCode);
    let seq: number | null = null;
    if (verdict === "halt") seq = (await this.#append(execution, haltEntry(execution, entry.body.event, error))).seq;
    execution.reply = this.#reply(execution, ending, seq);
    return true;
  }

  async #append(execution: Execution, entry: JournalEntry): ReturnType<GateParts["append"]> {
    execution.introduce();
    const appended = await this.#parts.append(entry);
    execution.quota.spend(appended.bytes, this.#parts.clock.monotonicUs());
    return appended;
  }

  #refuse(execution: Execution, event: RefusalEvent, problem: Problem): EventType {
    const error = replyError(problem, timestamp(this.#parts.clock), execution.call?.tool);
    execution.ending = { event, error, entry: refusalEntry(execution, event, verdictOf(event).decision, error) };
    return event;
  }

  #end(
    execution: Execution,
    event: "failed" | "timedOut" | "cancelled" | "contained" | "halted",
    began: boolean,
    problem: Problem,
    durationUs = 0,
    sandbox: string | null = null,
  ): EventType {
    const error = replyError(problem, timestamp(this.#parts.clock), execution.call?.tool);
    execution.ending = { event, error, entry: outcomeEntry(execution, { event, began, durationUs, sandbox, error }) };
    return event;
  }

  /** What cannot be recorded is never claimed: the answer says that its fate in the journal is unknown. */
  #commitFailed(execution: Execution, cause: unknown): EventType {
    const problem =
      cause instanceof FemtoError
        ? { code: cause.code, reason: cause.message }
        : ({ code: "FEMTO_JOURNAL_WRITE_FAILED", reason: errorText(cause) } as const);
    execution.reply = {
      execution_id: execution.id,
      status: "error",
      decision: execution.intent === null ? null : "AUTHORIZED",
      error: replyError(problem, timestamp(this.#parts.clock), execution.call?.tool),
      record: null,
    };
    return "commitFailed";
  }

  #reply(execution: Execution, ending: Ending, seq: number | null): Reply {
    const { status, decision } = verdictOf(ending.event);
    const { result, error } = ending;
    return {
      execution_id: execution.id,
      status,
      decision,
      ...(result === undefined ? {} : { result }),
      ...(error === undefined ? {} : { error }),
      ...(execution.revision === null ? {} : { policy: { revision: execution.revision, rules: [...execution.rules] } }),
      record: seq === null ? null : { seq },
    };
  }
}

/** Why a call is not permitted; null where it is. Nobody can be asked yet, so what would be asked is denied. */
function denialIn(decision: GateDecision): Problem | null {
  if (decision.allowed) return null;
  const code = decision.code === "FEMTO_APPROVAL_REQUIRED" ? "FEMTO_POLICY_NO_PERMIT" : decision.code;
  return { code, reason: decision.reason };
}
