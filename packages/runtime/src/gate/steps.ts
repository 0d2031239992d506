/**
 * What the gate does in each state of an execution: validate, take facts, decide, ask, commit the intent,
 * execute, commit the outcome. The execution machine says which step is next.
 */
import assert from "node:assert/strict";
import type { Capability, JsonObject } from "@femtoclaw/capabilities";
import type { JournalEntry } from "@femtoclaw/journal";
import type { ExecutionEvent, ExecutionState } from "@femtoclaw/machines";
import type { Question } from "@femtoclaw/policy";
import {
  type DecisionCode,
  describeViolations,
  type ErrorCode,
  errorText,
  FemtoError,
  LIMITS,
  parseMessage,
  printable,
  type Reply,
  type ToolCall,
} from "@femtoclaw/protocol";
import { timestamp } from "../timestamp.ts";
import { askingOf, pendingReply } from "./asking.ts";
import { runEffect } from "./effect.ts";
import { entryBytes, haltEntry, intentEntry, messageEntry, outcomeEntry, refusalEntry } from "./entries.ts";
import type { Ending, Execution, RefusalEvent } from "./execution.ts";
import type { FactsResult, GateDecision, GateParts, Standing } from "./gate-parts.ts";
import type { Questions } from "./questions.ts";
import type { RefusalCounts } from "./refusal-counts.ts";
import { type Problem, replyError, verdictOf } from "./verdict.ts";

export type EventType = ExecutionEvent["type"];
type Step = (execution: Execution) => EventType | Promise<EventType>;
/** States in which the gate has work to do; a call that waits for operators leaves it, and final states need nothing. */
type WorkedState = Exclude<ExecutionState, "awaitingApproval" | "completed" | "error">;

export class Steps {
  readonly #parts: GateParts;
  readonly #questions: Questions;
  readonly #counts: RefusalCounts;

  constructor(parts: GateParts, questions: Questions, counts: RefusalCounts) {
    this.#parts = parts;
    this.#questions = questions;
    this.#counts = counts;
  }

  /** Does the work of the state; the event that it ends in is the machine's next. */
  take(execution: Execution, state: ExecutionState): EventType | Promise<EventType> {
    const step: Step | undefined = this.#steps[state as WorkedState];
    assert(step !== undefined, `the gate has no step for state ${state}`);
    return step(execution);
  }

  /** Ends the execution without an effect; resolves to what the machine is told. */
  refuse(
    execution: Execution,
    event: RefusalEvent,
    problem: Problem,
    decision: DecisionCode = verdictOf(event).decision,
  ): EventType {
    const error = replyError(problem, timestamp(this.#parts.clock), execution.call?.tool);
    execution.ending = { event, decision, error, entry: refusalEntry(execution, event, decision, error) };
    return event;
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
    if (!parsed.ok) return this.refuse(execution, "invalid", parsed.fault);
    if ("message" in parsed.message) {
      const entry = messageEntry(execution, parsed.message.message.content);
      execution.ending = { event: "message", decision: verdictOf("message").decision, entry };
      return "message";
    }
    execution.call = parsed.message.tool_call;
    const missing = this.#lookUp(execution, execution.call);
    return missing === null ? "valid" : this.refuse(execution, missing.event, missing.problem);
  }

  /** Registered, enabled, arguments as its schema wants them, in this order; null where all of it holds. */
  #lookUp(
    execution: Execution,
    { tool, args }: ToolCall,
  ): { readonly event: "unknown" | "disabled" | "argumentsInvalid"; readonly problem: Problem } | null {
    const registered = this.#parts.registered(tool);
    if (registered === undefined) {
      const reason = `no capability is called \`${printable(tool, LIMITS.labelChars)}\``;
      return { event: "unknown", problem: { code: "FEMTO_CAPABILITY_NOT_FOUND", reason } };
    }
    execution.capability = registered.capability;
    execution.secrets = registered.secrets;
    if (!registered.enabled) {
      const reason = `the capability \`${tool}\` is disabled`;
      return { event: "disabled", problem: { code: "FEMTO_CAPABILITY_DISABLED", reason } };
    }
    if (registered.validators.input(args)) return null;
    const reason = `arguments: ${describeViolations(registered.validators.input.errors ?? [])}`;
    return { event: "argumentsInvalid", problem: { code: "FEMTO_ARGUMENTS_INVALID", reason } };
  }

  // INVARIANT: I8: also a call that operators said yes to is looked up, examined and decided anew.
  async #authorize(execution: Execution): Promise<EventType> {
    const { call, waited, lost } = execution;
    assert(call !== null, "a validated message is a call");
    if (lost !== null) return this.refuse(execution, lost.event, lost.problem);
    const missing = waited === null ? null : this.#lookUp(execution, call);
    if (missing !== null) {
      const { decision } = verdictOf(missing.event);
      const event = missing.event === "argumentsInvalid" ? "factsFailed" : "denied";
      return this.refuse(execution, event, missing.problem, decision);
    }
    const { capability } = execution;
    assert(capability !== null, "a call that was looked up has a capability");
    // The message was parsed from JSON, so its arguments are JSON.
    const standing = this.#parts.standing();
    execution.standing = standing;
    const taken = await this.#takeFacts(capability, call.args as JsonObject, standing);
    if (!taken.ok) return this.refuse(execution, "factsFailed", { code: "FEMTO_FACTS_FAILED", reason: taken.reason });
    execution.facts = taken.facts;
    execution.bound = taken.bound;
    const decision = this.#decideOn(execution, false);
    if (decision.allowed) {
      // Policy may have changed while it waited and ask no more; the question is ended by this all the same.
      execution.approval = waited?.seq ?? null;
      return "permitted";
    }
    if (decision.code === "FEMTO_APPROVAL_REQUIRED") return await this.#ask(execution, decision);
    return this.refuse(execution, "denied", decision);
  }

  #decideOn(execution: Execution, approved: boolean): GateDecision {
    const { call, facts, actor, share } = execution;
    assert(call !== null && facts !== null, "facts come before the decision");
    const { questions } = facts;
    const decision = this.#decide({ principal: actor.principal, capability: call.tool, questions, approved, share });
    execution.revision = decision.revision;
    execution.rules = decision.rules;
    return decision;
  }

  // INVARIANT: I1: the question is durable before anyone hears of it.
  async #ask(execution: Execution, question: Question): Promise<EventType> {
    const asking = await askingOf(execution, question, this.#parts, this.#questions);
    switch (asking.kind) {
      case "granted": {
        const decision = this.#decideOn(execution, true);
        if (!decision.allowed) return this.refuse(execution, "denied", deniedAfterAll(decision));
        execution.rules = [...new Set([...question.rules, ...decision.rules])].sort();
        execution.approval = asking.question;
        return "permitted";
      }
      case "same":
        execution.unrecorded = "collapsed";
        execution.reply = asking.reply;
        return "denied";
      case "refused":
        return this.refuse(execution, "denied", asking.problem);
      case "ask":
        try {
          const waiting = asking.waiting((await this.#append(execution, asking.entry)).seq);
          this.#questions.add(waiting);
          execution.reply = pendingReply(waiting);
          return "approvalRequired";
        } catch (error) {
          this.#questions.abandon(execution.session);
          this.#commitFailed(execution, error);
          execution.unrecorded = "commitFailed";
          return "denied";
        }
    }
  }

  // INVARIANT: I3: anything but a clear permit, an exception included, denies.
  #decide(request: Parameters<GateParts["decide"]>[0]): GateDecision {
    try {
      return this.#parts.decide(request);
    } catch (error) {
      const reason = `the decision failed: ${errorText(error)}`;
      return { allowed: false, rules: [], revision: null, code: "FEMTO_POLICY_ERROR", reason };
    }
  }

  // INVARIANT: I3: facts that cannot be taken, for whatever reason, end the call before any decision.
  async #takeFacts(capability: Capability, args: JsonObject, standing: Standing): Promise<FactsResult> {
    try {
      return await this.#parts.takeFacts(capability.manifest, args, standing);
    } catch (error) {
      return { ok: false, reason: `the facts could not be taken: ${errorText(error)}` };
    }
  }

  // INVARIANT: I1: the machine leaves this step for the effect only after the intent is durable, and an
  // intent is written only with room for its outcome: what happens can always be recorded.
  async #commitIntent(execution: Execution): Promise<EventType> {
    const halted = await this.#takeEffectSlot(execution);
    if (halted !== null) return this.refuse(execution, "halted", halted);
    try {
      execution.intent = (await this.#append(execution, intentEntry(execution))).seq;
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
    const full = this.#diskFull();
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
      execution.ending = { event: "succeeded", decision: "AUTHORIZED", entry, result: outcome.result };
      return "succeeded";
    }
    const problem = { code: outcome.code, reason: outcome.reason, fix: outcome.fix };
    return this.#end(execution, outcome.event, true, problem, outcome.durationUs, outcome.sandbox);
  }

  async #commitEnding(execution: Execution): Promise<EventType> {
    const { ending, unrecorded } = execution;
    if (unrecorded !== null) return unrecorded;
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
    const { entry, error, decision } = ending;
    if (entry.type !== "execution.refused" || decision === "AUTHORIZED") return false;
    // What was asked ends in a record, else it would be asked about for ever.
    if (execution.waited !== null) return false;
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

  #end(
    execution: Execution,
    event: "failed" | "timedOut" | "cancelled" | "contained" | "halted",
    began: boolean,
    problem: Problem,
    durationUs = 0,
    sandbox: string | null = null,
  ): EventType {
    const error = replyError(problem, timestamp(this.#parts.clock), execution.call?.tool);
    const entry = outcomeEntry(execution, { event, began, durationUs, sandbox, error });
    execution.ending = { event, decision: "AUTHORIZED", error, entry };
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
    const { status } = verdictOf(ending.event);
    const { decision, result, error } = ending;
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

/** A yes lifts what asks; what asks once more has come in between, with another policy. */
function deniedAfterAll(decision: Exclude<GateDecision, { allowed: true }>): Problem {
  const { code, reason } = decision;
  return code === "FEMTO_APPROVAL_REQUIRED" ? { code: "FEMTO_POLICY_ERROR", reason } : { code, reason };
}
