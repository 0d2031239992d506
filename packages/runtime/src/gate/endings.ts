/**
 * How an execution ends: what its last record says, whether there is one, and what the proposer is told once that
 * record is durable.
 */
import assert from "node:assert/strict";
import type { JournalEntry } from "@femtoclaw/journal/live";
import type { ExecutionEvent } from "@femtoclaw/machines";
import { type DecisionCode, type ErrorCode, errorText, FemtoError, type Reply } from "@femtoclaw/protocol";
import { timestamp } from "../timestamp.ts";
import { chargedAppend } from "./admission/charged-append.ts";
import type { RefusalCounts } from "./admission/refusal-counts.ts";
import type { EffectOutcome } from "./effects/effect.ts";
import { entryBytes, haltEntry, outcomeEntry, refusalEntry } from "./entries.ts";
import type { Ending, Execution, RefusalEvent } from "./execution.ts";
import type { GateParts } from "./gate-parts.ts";
import { type Problem, replyError, toldError, verdictOf } from "./verdict.ts";

/** The event that is sent to the execution machine. */
export type EventType = ExecutionEvent["type"];
type RefusalEntry = JournalEntry & { readonly type: "execution.refused" };

/** How far the effect of a failed call went. `sandbox` names what confined it; null if nothing did. */
interface Effect {
  readonly began: boolean;
  readonly durationUs: number;
  readonly sandbox: string | null;
}

const NO_EFFECT: Effect = { began: false, durationUs: 0, sandbox: null };

export class Endings {
  readonly #parts: GateParts;
  readonly #counts: RefusalCounts;

  constructor(parts: GateParts, counts: RefusalCounts) {
    this.#parts = parts;
    this.#counts = counts;
  }

  /** Ends the execution without an effect. Returns the event for the machine. */
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

  /** Ends an execution whose effect succeeded. Returns the event for the machine. */
  succeed(execution: Execution, outcome: Extract<EffectOutcome, { event: "succeeded" }>): EventType {
    const { event, result } = outcome;
    execution.ending = {
      event,
      decision: "AUTHORIZED",
      entry: outcomeEntry(execution, { ...outcome, began: true }),
      result,
    };
    return event;
  }

  /**
   * Ends a permitted execution in any other way, before or after its effect began. Returns the event for the machine.
   */
  fail(
    execution: Execution,
    event: "failed" | "timedOut" | "cancelled" | "contained" | "halted",
    problem: Problem,
    effect: Effect = NO_EFFECT,
  ): EventType {
    const error = replyError(problem, timestamp(this.#parts.clock), execution.call?.tool);
    const entry = outcomeEntry(execution, { event, ...effect, error });
    execution.ending = { event, decision: "AUTHORIZED", error, entry };
    return event;
  }

  /** Makes the last record of the execution durable, and then builds its reply. */
  async commit(execution: Execution): Promise<EventType> {
    const { ending, unrecorded } = execution;
    if (unrecorded !== null) return unrecorded;
    assert(ending !== null, "an ending execution says how it ends");
    try {
      const { entry } = ending;
      if (entry.type === "execution.refused" && (await this.#isCollapsed(execution, ending, entry))) return "collapsed";
      const { seq } = await chargedAppend(this.#parts, execution, entry);
      const turn = this.#parts.turns.next(execution.session);
      if (turn !== null) await turn;
      const told = ending.error === undefined ? ending : { ...ending, error: toldError(ending.error, seq) };
      execution.reply = this.#reply(execution, told, seq);
      return "committed";
    } catch (error) {
      return this.commitFailed(execution, error);
    }
  }

  /**
   * If the session's quota has no room for a refusal, the refusal is answered and counted, but has no record of its
   * own. A permitted call that the runtime itself kept from beginning never counts against the session.
   */
  async #isCollapsed(execution: Execution, ending: Ending, entry: RefusalEntry): Promise<boolean> {
    const { error, decision } = ending;
    if (decision === "AUTHORIZED") return false;
    // A question must end in a record, or it would be asked for ever.
    if (execution.waited !== null) return false;
    assert(error !== undefined, "a refusal says why");
    const verdict = execution.quota.refuse(entryBytes(entry), this.#parts.clock.monotonicUs());
    if (verdict === "record") return false;
    this.#counts.add(entry.body.error.code as ErrorCode);
    let seq: number | null = null;
    if (verdict === "halt")
      seq = (await chargedAppend(this.#parts, execution, haltEntry(execution, entry.body.event, error))).seq;
    execution.reply = this.#reply(execution, ending, seq);
    return true;
  }

  /** Nothing is claimed that could not be recorded: the answer says that the call's fate in the journal is unknown. */
  commitFailed(execution: Execution, cause: unknown): EventType {
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
