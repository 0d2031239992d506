/**
 * Takes the facts of a call, adds what its session did before, and asks policy. Whatever goes wrong on the
 * way denies.
 */
import assert from "node:assert/strict";
import type { JsonObject } from "@femtoclaw/capabilities";
import { errorText, type Facts, type HistoryFacts } from "@femtoclaw/protocol";
import type { Execution } from "./execution.ts";
import type { FactsResult, GateDecision, GateParts } from "./gate-parts.ts";
import { isSameHistory } from "./session-standing.ts";

type DecisionParts = Pick<GateParts, "clock" | "histories" | "standing" | "takeFacts" | "decide">;

export class Decisions {
  readonly #parts: DecisionParts;

  constructor(parts: DecisionParts) {
    this.#parts = parts;
  }

  // INVARIANT: I3: facts that cannot be taken, for whatever reason, end the call before any decision.
  async takeFacts(execution: Execution): Promise<FactsResult> {
    const { actor, capability, call } = execution;
    assert(call !== null && capability !== null, "a validated call has a capability");
    const standing = this.#parts.standing(actor.principal);
    execution.standing = standing;
    try {
      // The message was parsed from JSON, so its arguments are JSON.
      return await this.#parts.takeFacts(capability.manifest, call.args as JsonObject, standing);
    } catch (error) {
      return { ok: false, reason: `the facts could not be taken: ${errorText(error)}` };
    }
  }

  /**
   * What it was decided on, and by, stands in the execution afterwards, whatever the decision was. Of a call that
   * operators said yes to, so do the rules that asked.
   */
  decide(execution: Execution, approved: boolean): GateDecision {
    const { facts, askedBy } = execution;
    assert(facts !== null, "facts are taken before a decision");
    const history = this.#historyOf(execution);
    execution.facts = { ...facts, history };
    const decision = this.#ask(execution, history, approved);
    execution.revision = decision.revision;
    const asked = approved && decision.allowed ? askedBy : [];
    execution.rules = [...new Set([...asked, ...decision.rules])].sort();
    return decision;
  }

  /** The same for a call that was permitted; where nothing that it was decided on has changed, nothing is decided twice. */
  decideAnew(execution: Execution): GateDecision {
    const { facts, rules, revision, askedBy } = execution;
    assert(revision !== null, "a permitted call was decided on by a revision");
    if (isSameHistory(facts?.history, this.#historyOf(execution))) return { allowed: true, rules, revision };
    return this.decide(execution, askedBy.length > 0);
  }

  /**
   * Of where the effect of a permitted call wants to go on to, with what its session did up to now. Nobody said yes to
   * that, so what asks there is not permitted.
   */
  async examineHop(execution: Execution, args: JsonObject, hop: number): Promise<FactsResult> {
    const { actor, capability } = execution;
    assert(capability !== null, "what runs is an effect of a capability");
    const standing = this.#parts.standing(actor.principal);
    try {
      return await this.#parts.takeFacts(capability.manifest, args, standing, hop);
    } catch (error) {
      return { ok: false, reason: `the facts could not be taken: ${errorText(error)}` };
    }
  }

  decideHop(execution: Execution, questions: Facts["questions"]): GateDecision & { readonly facts: Facts } {
    const facts = { questions, history: this.#historyOf(execution) };
    return { ...this.#ask({ ...execution, facts }, facts.history, false), facts };
  }

  /** Why a call that was permitted would not be any more, with the marks that its principal bears by now. */
  forbiddenSince(execution: Execution): string | null {
    const own = execution.facts?.history;
    if (own === undefined) return null;
    const { has_read_secret, has_seen_untrusted } = this.#historyOf(execution);
    const decision = this.#ask(
      execution,
      { ...own, has_read_secret, has_seen_untrusted },
      execution.askedBy.length > 0,
    );
    return decision.allowed ? null : decision.reason;
  }

  #historyOf({ session, actor }: Execution): HistoryFacts {
    const { clock, histories } = this.#parts;
    const moment = { nowUs: clock.nowUs(), monotonicUs: clock.monotonicUs() };
    return histories.facts(session, actor.principal, moment);
  }

  // INVARIANT: I3: anything but a clear permit, an exception included, denies.
  #ask({ actor, call, facts, share }: Execution, history: HistoryFacts, approved: boolean): GateDecision {
    try {
      assert(call !== null && facts !== null, "a decision is about a call with its facts");
      const { questions } = facts;
      return this.#parts.decide({
        principal: actor.principal,
        capability: call.tool,
        questions,
        history,
        approved,
        share,
      });
    } catch (error) {
      const reason = `the decision failed: ${errorText(error)}`;
      return { allowed: false, rules: [], revision: null, code: "FEMTO_POLICY_ERROR", reason };
    }
  }
}
