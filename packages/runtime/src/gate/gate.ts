/**
 * The one gate. Every surface proposes here, and nothing else starts a capability: parse, look up,
 * validate, take facts, decide, commit the intent, execute, commit the outcome, answer. The execution
 * machine says which step is next; this file says what each step does.
 */
import assert from "node:assert/strict";
import type { Capability, JsonObject } from "@femtoclaw/capabilities";
import type { JournalEntry } from "@femtoclaw/journal";
import type { ExecutionEvent, ExecutionState } from "@femtoclaw/machines";
import {
  describeViolations,
  type ExecutionId,
  errorText,
  type Facts,
  FemtoError,
  LIMITS,
  parseMessage,
  printable,
  type RecordActor,
  type Reply,
  type SessionId,
} from "@femtoclaw/protocol";
import { timestamp } from "../timestamp.ts";
import { NO_SECRETS } from "./argument-validators.ts";
import { runEffect } from "./effect.ts";
import { intentEntry, messageEntry, outcomeEntry, refusalEntry } from "./entries.ts";
import type { Ending, Execution, RefusalEvent } from "./execution.ts";
import type { Release } from "./fair-slots.ts";
import type { FactsResult, GateDecision, GateParts } from "./gate-parts.ts";
import { type Problem, replyError, unrecordedReply, verdictOf } from "./verdict.ts";

export interface Proposal {
  readonly session: SessionId;
  /** Who proposes, for whom: minted by the runtime. Policy decides on the principal, never on what a client calls itself. */
  readonly actor: RecordActor;
  readonly bytes: Uint8Array;
  readonly label?: string;
}

type EventType = ExecutionEvent["type"];
type Step = (execution: Execution) => EventType | Promise<EventType>;
/** States in which the gate has work to do; it never asks for approval, and final states need nothing. */
type WorkedState = Exclude<ExecutionState, "awaitingApproval" | "completed" | "error">;

/** Pause before an outcome that the journal had no room for is offered again. */
const ROOM_MS = 10;

export class Gate {
  readonly #parts: GateParts;
  readonly #running = new Map<ExecutionId, Execution>();
  #overloads = 0;
  #idle: (() => void) | null = null;

  constructor(parts: GateParts) {
    this.#parts = parts;
  }

  /** Executions that entered the gate and have not left it. */
  get running(): number {
    return this.#running.size;
  }

  /** Calls refused for overload since the last call of this method. */
  takeOverloads(): number {
    const count = this.#overloads;
    this.#overloads = 0;
    return count;
  }

  /** Decides and, if permitted, executes; resolves when the outcome is durable. Never throws for what a proposer can cause. */
  async propose(proposal: Proposal): Promise<Reply> {
    const id = this.#parts.newId() as ExecutionId;
    const label = proposal.label === undefined ? null : printable(proposal.label, LIMITS.labelChars);
    const closed = this.#parts.admission();
    if (closed !== null) return this.#unrecorded(id, closed);
    let release: Release;
    try {
      const slot = this.#parts.stages.acquire(proposal.session);
      release = slot instanceof Promise ? await slot : slot;
    } catch (error) {
      if (!(error instanceof FemtoError)) throw error;
      return this.#unrecorded(id, { code: error.code, reason: error.message });
    }
    const stillClosed = this.#parts.admission();
    if (stillClosed !== null) {
      release();
      return this.#unrecorded(id, stillClosed);
    }
    return await this.#run(this.#begin(id, proposal, label, release));
  }

  /** Asks an execution of the session to end; true when it is known and has not ended. */
  cancel(session: SessionId, id: ExecutionId): boolean {
    const execution = this.#running.get(id);
    if (execution === undefined || execution.session !== session) return false;
    this.#stop(execution, "its proposer cancelled it");
    return true;
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

  #unrecorded(id: ExecutionId, problem: Problem): Reply {
    if (problem.code === "FEMTO_OVERLOADED") this.#overloads += 1;
    return unrecordedReply(id, replyError(problem, timestamp(this.#parts.clock)));
  }

  #begin(id: ExecutionId, proposal: Proposal, label: string | null, release: Release): Execution {
    const execution: Execution = {
      id,
      session: proposal.session,
      actor: proposal.actor,
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
      revision: null,
      rules: [],
      intent: null,
      ending: null,
      reply: null,
      release,
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
    const { call, capability } = execution;
    assert(call !== null && capability !== null, "a validated call has a capability");
    // The message was parsed from JSON, so its arguments are JSON.
    const taken = await this.#takeFacts(capability, call.args as JsonObject);
    if (!taken.ok) return this.#refuse(execution, "factsFailed", { code: "FEMTO_FACTS_FAILED", reason: taken.reason });
    execution.facts = taken.facts;
    execution.bound = taken.bound;
    const decision = this.#decide(execution.actor.principal, call.tool, taken.facts.questions);
    execution.revision = decision.revision;
    execution.rules = decision.rules;
    if (decision.allowed) return "permitted";
    return this.#refuse(execution, "denied", { code: decision.code, reason: decision.reason });
  }

  // INVARIANT: I3: anything but a clear permit, an exception included, denies.
  #decide(principal: string, capability: string, questions: Facts["questions"]): GateDecision {
    try {
      return this.#parts.decide({ principal, capability, questions });
    } catch (error) {
      const reason = `the decision failed: ${errorText(error)}`;
      return { allowed: false, rules: [], revision: null, code: "FEMTO_POLICY_ERROR", reason };
    }
  }

  // INVARIANT: I3: facts that cannot be taken, for whatever reason, end the call before any decision.
  async #takeFacts(capability: Capability, args: JsonObject): Promise<FactsResult> {
    try {
      return await this.#parts.takeFacts(capability.manifest, args);
    } catch (error) {
      return { ok: false, reason: `the facts could not be taken: ${errorText(error)}` };
    }
  }

  // INVARIANT: I1: the machine leaves this step for the effect only after the intent is durable.
  async #commitIntent(execution: Execution): Promise<EventType> {
    const halted = await this.#takeEffectSlot(execution);
    if (halted !== null) return this.#refuse(execution, "halted", halted);
    try {
      execution.intent = (await this.#parts.append(intentEntry(execution))).seq;
    } catch (error) {
      return this.#commitFailed(execution, error);
    }
    if (execution.stopReason === null) return "committed";
    return this.#end(execution, "halted", false, {
      code: "FEMTO_EXECUTION_HALTED",
      reason: `stopped before its effect began: ${execution.stopReason}`,
    });
  }

  /** Waiting for the capability must not hold a place in the runtime's own stages, so the slot is exchanged. */
  async #takeEffectSlot(execution: Execution): Promise<Problem | null> {
    execution.release?.();
    execution.release = null;
    try {
      const slot = this.#parts.effects.acquire(execution.session);
      execution.release = slot instanceof Promise ? await slot : slot;
    } catch (error) {
      return { code: "FEMTO_OVERLOADED", reason: `too many effects wait: ${errorText(error)}` };
    }
    const reason = execution.stopReason ?? this.#parts.admission()?.reason ?? this.#disabledMeanwhile(execution);
    return reason === null ? null : { code: "FEMTO_EXECUTION_HALTED", reason };
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
      const { seq } = await this.#appendEnding(execution, ending.entry);
      execution.reply = this.#reply(execution, ending, seq);
      return "committed";
    } catch (error) {
      return this.#commitFailed(execution, error);
    }
  }

  /** What happened must not lose its record to a full queue: an outcome waits until there is room for it. */
  async #appendEnding(execution: Execution, entry: JournalEntry): Promise<{ readonly seq: number }> {
    for (;;) {
      try {
        return await this.#parts.append(entry);
      } catch (error) {
        const isFull = error instanceof FemtoError && error.code === "FEMTO_JOURNAL_OVERLOADED";
        if (!isFull || execution.intent === null) throw error;
      }
      await new Promise<void>((resolve) => void this.#parts.clock.after(ROOM_MS, resolve));
    }
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

  #reply(execution: Execution, ending: Ending, seq: number): Reply {
    const { status, decision } = verdictOf(ending.event);
    const { result, error } = ending;
    return {
      execution_id: execution.id,
      status,
      decision,
      ...(result === undefined ? {} : { result }),
      ...(error === undefined ? {} : { error }),
      ...(execution.revision === null ? {} : { policy: { revision: execution.revision, rules: [...execution.rules] } }),
      record: { seq },
    };
  }
}
