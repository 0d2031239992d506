/**
 * What the gate does in each state of an execution: validate, take facts, decide, ask, commit the intent,
 * execute, commit the outcome. The execution machine says which step is next.
 */
import assert from "node:assert/strict";
import { type JsonObject, keepBefore } from "@femtoclaw/capabilities";
import { type JournalEntry, redact } from "@femtoclaw/journal/live";
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
import { Decisions } from "./decisions.ts";
import { type EffectParts, effectParts, runEffect } from "./effect.ts";
import {
  entryBytes,
  haltEntry,
  intentEntry,
  messageEntry,
  outcomeEntry,
  refusalEntry,
  shadowBytes,
} from "./entries.ts";
import type { Ending, Execution, RefusalEvent } from "./execution.ts";
import type { GateDecision, GateParts } from "./gate-parts.ts";
import { marksOf } from "./marks.ts";
import type { Questions } from "./questions.ts";
import type { RefusalCounts } from "./refusal-counts.ts";
import { budgetHalt, haltOf } from "./session-standing.ts";
import { type Problem, replyError, verdictOf } from "./verdict.ts";

export type EventType = ExecutionEvent["type"];
type Step = (execution: Execution) => EventType | Promise<EventType>;
type RefusalEntry = JournalEntry & { readonly type: "execution.refused" };
/** States in which the gate has work to do; a call that waits for operators leaves it, and final states need nothing. */
type WorkedState = Exclude<ExecutionState, "awaitingApproval" | "completed" | "error">;

export interface StepsParts {
  readonly questions: Questions;
  readonly counts: RefusalCounts;
  /** Hears of a call that marks its principal, in the turn in which its intent gets its number. */
  onMarked(execution: Execution): void;
}

const UNRECORDABLE: Problem = {
  code: "FEMTO_SESSION_HALTED",
  reason: "nothing can be recorded of the session any more: it is over, or the disk does not keep up",
};

export class Steps {
  readonly #parts: GateParts;
  readonly #questions: Questions;
  readonly #counts: RefusalCounts;
  readonly #decisions: Decisions;
  readonly #effects: EffectParts;
  readonly #onMarked: (execution: Execution) => void;

  constructor(parts: GateParts, { questions, counts, onMarked }: StepsParts) {
    this.#parts = parts;
    this.#questions = questions;
    this.#counts = counts;
    this.#decisions = new Decisions(parts);
    this.#effects = effectParts(parts, this.#decisions, (execution, entry) => this.#append(execution, entry));
    this.#onMarked = onMarked;
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

  #validate(execution: Execution): EventType | Promise<EventType> {
    const parsed = parseMessage(execution.bytes);
    if (!parsed.ok) return this.refuse(execution, "invalid", parsed.fault);
    if ("message" in parsed.message) {
      const entry = messageEntry(execution, parsed.message.message.content);
      execution.ending = { event: "message", decision: verdictOf("message").decision, entry };
      return "message";
    }
    const call = parsed.message.tool_call;
    execution.call = call;
    const arriving = this.#parts.arriving(call.tool);
    if (arriving === null) return this.#validateCall(execution, call);
    return arriving.then(() => this.#validateCall(execution, call));
  }

  #validateCall(execution: Execution, call: ToolCall): EventType {
    const missing = this.#lookUp(execution, call);
    return missing === null ? "valid" : this.refuse(execution, missing.event, missing.problem);
  }

  /** Registered, enabled, arguments as its schema wants them, in this order; null where all of it holds. */
  #lookUp(
    execution: Execution,
    { tool, args }: ToolCall,
  ): { readonly event: "unknown" | "disabled" | "argumentsInvalid"; readonly problem: Problem } | null {
    const registered = this.#parts.registered(tool);
    // INVARIANT: I8: what an operator has to launch is nothing that a proposer can name.
    if (registered === undefined || (registered.capability.isLaunched && execution.launch === undefined)) {
      const reason = `no capability is called \`${printable(tool, LIMITS.labelChars)}\``;
      const problem = this.#parts.absent(tool) ?? { code: "FEMTO_CAPABILITY_NOT_FOUND", reason };
      return { event: "unknown", problem };
    }
    execution.capability = registered.capability;
    execution.codeSha256 = registered.codeSha256 ?? null;
    execution.secrets = registered.secrets;
    if (!registered.enabled) {
      const reason = `the capability \`${tool}\` is disabled`;
      return { event: "disabled", problem: { code: "FEMTO_CAPABILITY_DISABLED", reason } };
    }
    if (registered.problem !== undefined) return { event: "disabled", problem: registered.problem };
    if (registered.validators.input(args)) {
      const problem = registered.problemOf?.(args as JsonObject) ?? null;
      const event = problem?.code === "FEMTO_ARGUMENTS_INVALID" ? "argumentsInvalid" : "disabled";
      return problem === null ? null : { event, problem };
    }
    const reason = `arguments: ${describeViolations(registered.validators.input.errors ?? [])}`;
    return { event: "argumentsInvalid", problem: { code: "FEMTO_ARGUMENTS_INVALID", reason } };
  }

  // INVARIANT: I8: also a call that operators said yes to is looked up, examined and decided anew.
  async #authorize(execution: Execution): Promise<EventType> {
    const { call, waited, lost } = execution;
    assert(call !== null, "a validated message is a call");
    if (lost !== null) return this.refuse(execution, lost.event, lost.problem);
    if (waited !== null) await this.#parts.arriving(call.tool);
    const missing = waited === null ? null : this.#lookUp(execution, call);
    if (missing !== null) {
      const { decision } = verdictOf(missing.event);
      const event = missing.event === "argumentsInvalid" ? "factsFailed" : "denied";
      return this.refuse(execution, event, missing.problem, decision);
    }
    const taken = await this.#decisions.takeFacts(execution);
    if (!taken.ok) return this.refuse(execution, "factsFailed", { code: "FEMTO_FACTS_FAILED", reason: taken.reason });
    execution.facts = taken.facts;
    execution.bound = taken.bound;
    const decision = this.#decisions.decide(execution, false);
    if (decision.allowed) {
      // Policy may have changed while it waited and ask no more; the question is ended by this all the same.
      execution.approval = waited?.seq ?? null;
      return await this.#begin(execution);
    }
    return await this.#notPermitted(execution, decision);
  }

  #notPermitted(execution: Execution, decision: Exclude<GateDecision, { allowed: true }>): Promise<EventType> {
    if (decision.code === "FEMTO_APPROVAL_REQUIRED") return this.#ask(execution, decision);
    return this.#deny(execution, decision);
  }

  /** A budget that is used up ends the session. What cannot be recorded ends the runtime itself, which takes no calls then. */
  async #deny(execution: Execution, problem: Problem): Promise<EventType> {
    const over = problem.code === "FEMTO_BUDGET_EXCEEDED" ? budgetHalt(execution, this.#parts.histories) : null;
    if (over !== null) await this.#append(execution, over).catch(() => undefined);
    return this.refuse(execution, "denied", problem);
  }

  async #begin(execution: Execution): Promise<EventType> {
    // However long it waits and runs now, it keeps no newcomer from its turn.
    execution.leave(false);
    execution.heldBack = await this.#takeEffectSlot(execution);
    if (execution.heldBack !== null) return "permitted";
    const keeps = execution.capability?.keeps;
    if (keeps !== undefined) await this.#keep(execution, keeps);
    return this.#numberIntent(execution);
  }

  /** Before the last decision, because what it reads takes time; what changes meanwhile is found out by the effect. */
  async #keep(execution: Execution, keeps: "content" | "names"): Promise<void> {
    const { bound, standing } = execution;
    assert(bound && standing, "a permitted call has its facts");
    const isSecret = (text: string): boolean => redact(text).redactions.length > 0;
    execution.kept = await keepBefore(bound, { keeps, authority: standing.authority, isSecret });
  }

  /**
   * INVARIANT: I5: the last decision and its intent's number come in one turn, in which nothing else gets a
   * number. So a call is decided on all that stands before it in the journal, a halt of its session among it, and of two
   * calls that race the later one is decided on the mark, or the count, of the earlier.
   */
  #numberIntent(execution: Execution): EventType | Promise<EventType> {
    const { call, capability } = execution;
    const isKnown = execution.introduce();
    execution.heldBack = isKnown ? haltOf(this.#parts.histories, execution.session) : UNRECORDABLE;
    if (execution.heldBack !== null) return "permitted";
    const decision = this.#decisions.decideAnew(execution);
    if (!decision.allowed) return this.#notPermitted(execution, decision);
    const { facts, standing } = execution;
    assert(call && capability && facts && standing, "a permitted call has its facts");
    execution.marks = marksOf(facts.questions, capability.manifest.effect, standing.authority);
    execution.reservedBytes = this.#parts.registered(call.tool)?.outputBytes ?? 0;
    execution.committing = this.#append(execution, intentEntry(execution));
    if (execution.marks.length > 0) this.#onMarked(execution);
    return "permitted";
  }

  /** Why a call that began would not be permitted any more; null while it would. */
  forbiddenSince(execution: Execution): string | null {
    return this.#decisions.forbiddenSince(execution);
  }

  /** The same of what goes on after its call, by all that is true of its session by now. */
  forbiddenNow(execution: Execution): string | null {
    return this.#decisions.forbiddenNow(execution);
  }

  // INVARIANT: I1: the question is durable before anyone hears of it.
  async #ask(execution: Execution, question: Question): Promise<EventType> {
    const asking = await askingOf(execution, question, this.#parts, this.#questions);
    switch (asking.kind) {
      case "granted": {
        execution.askedBy = question.rules;
        const decision = this.#decisions.decide(execution, true);
        if (!decision.allowed) return await this.#deny(execution, deniedAfterAll(decision));
        execution.approval = asking.question;
        return await this.#begin(execution);
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
          execution.reply = pendingReply(waiting, question.rules);
          return "approvalRequired";
        } catch (error) {
          this.#questions.abandon(execution.session);
          this.#commitFailed(execution, error);
          execution.unrecorded = "commitFailed";
          return "denied";
        }
    }
  }

  // INVARIANT: I1: the machine leaves this step for the effect only after the intent is durable, and an
  // intent is written only with room for its outcome: what happens can always be recorded.
  async #commitIntent(execution: Execution): Promise<EventType> {
    const { heldBack, committing } = execution;
    if (heldBack !== null) return this.refuse(execution, "halted", heldBack);
    assert(committing !== null, "what is not held back is on its way");
    try {
      execution.intent = (await committing).seq;
      const turn = this.#parts.turns.next(execution.session);
      if (turn !== null) await turn;
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

  /** An operator who disables a capability means the calls that wait, too; so does a tool that is not what it was. */
  #disabledMeanwhile({ call }: Execution): string | null {
    const registered = call === null ? undefined : this.#parts.registered(call.tool);
    if (registered?.enabled !== true) return "its capability was disabled while it waited";
    return registered.problem?.reason ?? null;
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
    // INVARIANT: I1: what runs is what the intent names, also where other files were accepted since.
    if ((registered.codeSha256 ?? null) !== execution.codeSha256) {
      const reason = "stopped before its effect began: the files of its capability changed since";
      return this.#end(execution, "cancelled", false, { code: "FEMTO_EXECUTION_HALTED", reason });
    }
    const outcome = await runEffect(this.#effects, execution, registered, call.args as JsonObject, bound);
    execution.release?.();
    execution.release = null;
    if (outcome.event === "succeeded") {
      const durationUs = outcome.durationUs;
      const entry = outcomeEntry(execution, { ...outcome, began: true, durationUs });
      execution.quota.earn(this.#parts.clock.monotonicUs());
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
      const { entry } = ending;
      if (entry.type === "execution.refused" && (await this.#isCollapsed(execution, ending, entry))) return "collapsed";
      const { seq } = await this.#append(execution, entry);
      const turn = this.#parts.turns.next(execution.session);
      if (turn !== null) await turn;
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
  async #isCollapsed(execution: Execution, ending: Ending, entry: RefusalEntry): Promise<boolean> {
    const { error, decision } = ending;
    if (decision === "AUTHORIZED") return false;
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
    const { turns, clock } = this.#parts;
    turns.onDisk(execution.session);
    try {
      const appended = await this.#parts.append(entry);
      execution.quota.spend(appended.bytes - shadowBytes(entry), clock.monotonicUs());
      return appended;
    } finally {
      turns.offDisk(execution.session);
    }
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
