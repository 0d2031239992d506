/**
 * What the gate does in each state of an execution: take facts, decide, ask, commit the intent, execute. How a call is
 * validated stands in validation.ts, how it ends in endings.ts. The execution machine says which step is next.
 */
import assert from "node:assert/strict";
import { type JsonObject, keepBefore } from "@femtoclaw/capabilities";
import { redact } from "@femtoclaw/journal/live";
import type { ExecutionState } from "@femtoclaw/machines";
import type { Question } from "@femtoclaw/policy";
import { errorText } from "@femtoclaw/protocol";
import { chargedAppend } from "./admission/charged-append.ts";
import { budgetHalt, haltOf } from "./admission/session-halt.ts";
import { Decisions } from "./decisions.ts";
import { type EffectParts, effectParts, prepareEffect, runEffect } from "./effects/effect.ts";
import type { Endings, EventType } from "./endings.ts";
import { intentEntry } from "./entries.ts";
import type { Execution } from "./execution.ts";
import type { GateDecision, GateParts } from "./gate-parts.ts";
import { marksOf } from "./marks.ts";
import { askingOf, pendingReply } from "./questions/asking.ts";
import type { Questions } from "./questions/questions.ts";
import { Validation } from "./validation.ts";
import { type Problem, verdictOf } from "./verdict.ts";

type Step = (execution: Execution) => EventType | Promise<EventType>;
/**
 * States in which the gate has work to do. A call that waits for operators leaves the gate, and final states need
 * nothing.
 */
type WorkedState = Exclude<ExecutionState, "awaitingApproval" | "completed" | "error">;

interface StepsParts {
  readonly questions: Questions;
  readonly endings: Endings;
  /** Called for a call that marks its principal, in the turn in which its intent gets its number. */
  onMarked(execution: Execution): void;
}

const UNRECORDABLE: Problem = {
  code: "FEMTO_SESSION_HALTED",
  reason: "nothing more can be recorded of this session: it has ended, or the disk cannot keep up",
};

export class Steps {
  readonly #parts: GateParts;
  readonly #questions: Questions;
  readonly #endings: Endings;
  readonly #validation: Validation;
  readonly #decisions: Decisions;
  readonly #effects: EffectParts;
  readonly #onMarked: (execution: Execution) => void;

  constructor(parts: GateParts, { questions, endings, onMarked }: StepsParts) {
    this.#parts = parts;
    this.#questions = questions;
    this.#endings = endings;
    this.#validation = new Validation(parts, endings);
    this.#decisions = new Decisions(parts);
    this.#effects = effectParts(parts, this.#decisions, (execution, entry) => chargedAppend(parts, execution, entry));
    this.#onMarked = onMarked;
  }

  /** Does the work of a state. Returns the next event for the machine. */
  take(execution: Execution, state: ExecutionState): EventType | Promise<EventType> {
    const step: Step | undefined = this.#steps[state as WorkedState];
    assert(step !== undefined, `the gate has no step for state ${state}`);
    return step(execution);
  }

  /** Maps each state of the machine to its work, which returns the event that follows. */
  readonly #steps: Readonly<Record<WorkedState, Step>> = {
    inputReceived: () => "begin",
    protocolValidating: (execution) => this.#validation.validate(execution),
    authorizationEvaluating: (execution) => this.#authorize(execution),
    intentCommitting: (execution) => this.#commitIntent(execution),
    capabilityExecuting: (execution) => this.#execute(execution),
    memoryCommitting: (execution) => this.#endings.commit(execution),
  };

  // INVARIANT: I8: a call that operators said yes to is looked up, examined and decided anew as well.
  async #authorize(execution: Execution): Promise<EventType> {
    const { call, waited, lost } = execution;
    assert(call !== null, "a validated message is a call");
    if (lost !== null) return this.#endings.refuse(execution, lost.event, lost.problem);
    if (waited !== null) await this.#parts.arriving(call.tool);
    const missing = waited === null ? null : this.#validation.lookUp(execution, call);
    if (missing !== null) {
      const { decision } = verdictOf(missing.event);
      const event = missing.event === "argumentsInvalid" ? "factsFailed" : "denied";
      return this.#endings.refuse(execution, event, missing.problem, decision);
    }
    const taken = await this.#decisions.takeFacts(execution);
    if (!taken.ok)
      return this.#endings.refuse(execution, "factsFailed", { code: "FEMTO_FACTS_FAILED", reason: taken.reason });
    execution.facts = taken.facts;
    execution.bound = taken.bound;
    const decision = this.#decisions.decide(execution, { approved: false });
    if (decision.allowed) {
      // Policy may have changed while the call waited, and no longer ask. The question is ended by this call all the
      // same.
      execution.approval = waited?.seq ?? null;
      return await this.#begin(execution);
    }
    return await this.#notPermitted(execution, decision);
  }

  #notPermitted(execution: Execution, decision: Exclude<GateDecision, { allowed: true }>): Promise<EventType> {
    if (decision.code === "FEMTO_APPROVAL_REQUIRED") return this.#ask(execution, decision);
    return this.#deny(execution, decision);
  }

  /**
   * A used-up budget ends the session. If its record cannot be written, the runtime itself stops and takes no more
   * calls.
   */
  async #deny(execution: Execution, problem: Problem): Promise<EventType> {
    const over = problem.code === "FEMTO_BUDGET_EXCEEDED" ? budgetHalt(execution, this.#parts.histories) : null;
    if (over !== null) await chargedAppend(this.#parts, execution, over).catch(() => undefined);
    return this.#endings.refuse(execution, "denied", problem);
  }

  async #begin(execution: Execution): Promise<EventType> {
    // However long the call waits and runs from here on, it keeps no newcomer from its turn.
    execution.leave({ withPause: false });
    execution.heldBack = await this.#takeEffectSlot(execution);
    if (execution.heldBack !== null) return "permitted";
    const keeps = execution.capability?.keeps;
    if (keeps !== undefined) await this.#keep(execution, keeps);
    return this.#numberIntent(execution);
  }

  /**
   * Done before the last decision, because reading takes time. The effect will notice whatever changes in the meantime.
   */
  async #keep(execution: Execution, keeps: "content" | "names"): Promise<void> {
    const { bound, standing } = execution;
    assert(bound && standing, "a permitted call has its facts");
    const isSecret = (text: string): boolean => redact(text).redactions.length > 0;
    execution.kept = await keepBefore(bound, { keeps, authority: standing.authority, isSecret });
  }

  /**
   * INVARIANT: I5: the last decision and the number of its intent come in one turn, in which nothing else gets a
   * number. So a call is decided on everything that stands before it in the journal, a halt of its session included;
   * and of two calls that race, the later one is decided on the marks and counts of the earlier.
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
    const registered = this.#parts.registered(call.tool);
    execution.reservedBytes = registered?.outputBytes ?? 0;
    execution.committing = chargedAppend(this.#parts, execution, intentEntry(execution));
    if (registered?.capability.prepare !== undefined) execution.prepared = prepareEffect(execution, registered);
    if (execution.marks.length > 0) this.#onMarked(execution);
    return "permitted";
  }

  /** Why a call that began would no longer be permitted; null if it still would be. */
  forbiddenSince(execution: Execution): string | null {
    return this.#decisions.forbiddenSince(execution);
  }

  /** The same for what outlives its call, given the whole current history of its session. */
  forbiddenNow(execution: Execution): string | null {
    return this.#decisions.forbiddenNow(execution);
  }

  // INVARIANT: I1: the question is durable before anyone learns of it.
  async #ask(execution: Execution, question: Question): Promise<EventType> {
    const asking = await askingOf(execution, question, this.#parts, this.#questions);
    switch (asking.kind) {
      case "granted": {
        execution.askedBy = question.rules;
        const decision = this.#decisions.decide(execution, { approved: true });
        if (!decision.allowed) return await this.#deny(execution, deniedAfterAll(decision));
        execution.approval = asking.question;
        return await this.#begin(execution);
      }
      case "same":
        execution.unrecorded = "collapsed";
        execution.reply = asking.reply;
        return "denied";
      case "refused":
        return this.#endings.refuse(execution, "denied", asking.problem);
      case "ask":
        try {
          const waiting = asking.waiting((await chargedAppend(this.#parts, execution, asking.entry)).seq);
          this.#questions.add(waiting);
          execution.reply = pendingReply(waiting, question.rules);
          return "approvalRequired";
        } catch (error) {
          this.#questions.abandon(execution.session, asking.secretBytes);
          this.#endings.commitFailed(execution, error);
          execution.unrecorded = "commitFailed";
          return "denied";
        }
    }
  }

  // INVARIANT: I1: the machine proceeds from this step to the effect only after the intent is durable, and an intent is
  // written only if there is room for its outcome. So whatever happens can be recorded.
  async #commitIntent(execution: Execution): Promise<EventType> {
    const { heldBack, committing } = execution;
    if (heldBack !== null) return this.#endings.refuse(execution, "halted", heldBack);
    assert(committing !== null, "what is not held back is on its way");
    try {
      execution.intent = (await committing).seq;
      const turn = this.#parts.turns.next(execution.session);
      if (turn !== null) await turn;
    } catch (error) {
      return this.#endings.commitFailed(execution, error);
    }
    const { stopReason } = execution;
    const stopped: Problem | null =
      stopReason === null
        ? this.#diskFull()
        : { code: "FEMTO_EXECUTION_HALTED", reason: `stopped before its effect began: ${stopReason}` };
    return stopped === null ? "committed" : this.#endings.fail(execution, "halted", stopped);
  }

  /**
   * A call that waits for its capability must not hold a place in the runtime's own stages, so it exchanges that place
   * for one among the effects.
   */
  async #takeEffectSlot(execution: Execution): Promise<Problem | null> {
    execution.release?.();
    execution.release = null;
    // A call begins a second time if policy asks about it only when its intent gets its number, and an earlier yes
    // covers it.
    execution.releaseRoom?.();
    execution.releaseRoom = null;
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

  /** On a full disk no effect begins, even if the intent could still be written. */
  #diskFull(): Problem | null {
    const closed = this.#parts.admission();
    return closed?.code === "FEMTO_DISK_FULL" ? closed : null;
  }

  /**
   * An operator who disables a capability means waiting calls too. The same goes for a tool that is no longer what it
   * was.
   */
  #disabledMeanwhile({ call }: Execution): string | null {
    const registered = call === null ? undefined : this.#parts.registered(call.tool);
    if (registered === undefined) return "its capability is not there any more, or the registry is down";
    if (!registered.enabled) return "its capability was disabled while it waited";
    return registered.problem?.reason ?? null;
  }

  async #execute(execution: Execution): Promise<EventType> {
    const { call, bound } = execution;
    assert(call !== null && bound !== null, "only a decided call executes");
    const registered = this.#parts.registered(call.tool);
    // INVARIANT: I1: what runs is what the intent names, even if other files were accepted since.
    const isOther = registered !== undefined && (registered.codeSha256 ?? null) !== execution.codeSha256;
    const changed = isOther ? "the files of its capability changed since" : this.#disabledMeanwhile(execution);
    // This is the last check; from here on a stop reaches the capability through its signal.
    const stopped = execution.stopReason ?? changed;
    if (registered === undefined || stopped !== null) {
      const reason = `stopped before its effect began: ${stopped}`;
      return this.#endings.fail(execution, "cancelled", { code: "FEMTO_EXECUTION_HALTED", reason });
    }
    const outcome = await runEffect(this.#effects, execution, registered, call.args as JsonObject, bound);
    execution.release?.();
    execution.release = null;
    if (outcome.event === "succeeded") {
      execution.quota.earn(this.#parts.clock.monotonicUs());
      return this.#endings.succeed(execution, outcome);
    }
    const { event, code, reason, fix, durationUs, sandbox } = outcome;
    return this.#endings.fail(execution, event, { code, reason, fix }, { began: true, durationUs, sandbox });
  }
}

/** A yes satisfies the rules that ask. If a rule still asks, another policy came in between. */
function deniedAfterAll(decision: Exclude<GateDecision, { allowed: true }>): Problem {
  const { code, reason } = decision;
  return code === "FEMTO_APPROVAL_REQUIRED" ? { code: "FEMTO_POLICY_ERROR", reason } : { code, reason };
}
