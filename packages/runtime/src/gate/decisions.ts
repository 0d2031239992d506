/**
 * Takes the facts of a call, adds the history of its session, and asks policy. Any failure on the way denies the call.
 */
import assert from "node:assert/strict";
import type { ConnectionFacts, JsonObject } from "@femtoclaw/capabilities";
import {
  type Authority,
  CONNECT_ACTION,
  connectGrants,
  errorText,
  type FactQuestion,
  type Facts,
  FemtoError,
  type HistoryFacts,
  type HostQuestion,
  isWithin,
  type PathQuestion,
  type ProgramQuestion,
} from "@femtoclaw/protocol";
import type { Execution } from "./execution.ts";
import type { FactsResult, GateDecision, GateParts } from "./gate-parts.ts";

type DecisionParts = Pick<
  GateParts,
  "clock" | "histories" | "standing" | "takeFacts" | "connectionFacts" | "decide" | "onTrial"
>;

/** Whether operators said yes to what is decided on. */
interface Yes {
  readonly approved: boolean;
}

export class Decisions {
  readonly #parts: DecisionParts;

  constructor(parts: DecisionParts) {
    this.#parts = parts;
  }

  // INVARIANT: I3: if facts cannot be taken, for whatever reason, the call ends before any decision.
  async takeFacts(execution: Execution): Promise<FactsResult> {
    const { actor, capability, call } = execution;
    assert(call !== null && capability !== null, "a validated call has a capability");
    const standing = this.#parts.standing(actor.principal);
    execution.standing = standing;
    try {
      // The message was parsed from JSON, so its arguments are JSON.
      return await this.#parts.takeFacts(capability.manifest, call.args as JsonObject, standing, execution.session);
    } catch (error) {
      return { ok: false, reason: `the facts could not be taken: ${errorText(error)}` };
    }
  }

  /**
   * Whatever the decision is, its facts, revision and rules stand in the execution afterwards. If operators said yes to
   * the call, so do the rules that asked.
   */
  decide(execution: Execution, { approved }: Yes): GateDecision {
    const { actor, facts, askedBy } = execution;
    assert(facts !== null, "facts are taken before a decision");
    const history = this.#historyOf(execution);
    execution.facts = { ...facts, history };
    const decision = this.#ask(execution, history, { approved });
    execution.revision = decision.revision;
    // INVARIANT: I3: the policy that decides also confines. Another policy may have come into force since the facts
    // were taken.
    execution.standing = this.#parts.standing(actor.principal);
    // Read in this turn, so that a record never reports rules that went on trial after its decision.
    execution.onTrial = decision.revision === null ? null : this.#parts.onTrial();
    const hasYes = approved && decision.allowed && askedBy.length > 0;
    execution.rules = hasYes ? [...new Set([...askedBy, ...decision.rules])].sort() : decision.rules;
    return decision;
  }

  /** Decides once more on a permitted call if the history that it was decided on has changed since. */
  decideAnew(execution: Execution): GateDecision {
    const { facts, rules, revision, askedBy } = execution;
    assert(revision !== null, "a permitted call was decided on by a revision");
    if (isSameHistory(facts?.history, this.#historyOf(execution))) return { allowed: true, rules, revision };
    const decision = this.decide(execution, { approved: askedBy.length > 0 });
    const isOtherPolicy = askedBy.length > 0 && decision.revision !== revision;
    assert(execution.facts?.history !== undefined, "what was decided on has its history");
    if (!decision.allowed || !isOtherPolicy || !this.#asksOtherwise(execution, execution.facts.history))
      return decision;
    return this.decide(execution, { approved: false });
  }

  /**
   * INVARIANT: I8: a yes answers what one policy asks. If another policy asks more, or asks more operators, it asks
   * anew.
   */
  #asksOtherwise(execution: Execution, history: HistoryFacts): boolean {
    const { askedBy, waited } = execution;
    const decision = this.#ask(execution, history, { approved: false });
    if (decision.allowed) return false;
    if (decision.code !== "FEMTO_APPROVAL_REQUIRED") return true;
    const isAsked = decision.rules.every((id) => askedBy.includes(id));
    return !isAsked || decision.approvers > (waited?.approvers ?? 1);
  }

  /**
   * Takes the facts of the place to which the effect of a permitted call wants to go on, such as the target of a
   * redirect.
   */
  async examineHop(execution: Execution, args: JsonObject, hop: number): Promise<FactsResult> {
    const { actor, capability } = execution;
    assert(capability !== null, "what runs is an effect of a capability");
    const standing = this.#parts.standing(actor.principal);
    try {
      return await this.#parts.takeFacts(capability.manifest, args, standing, execution.session, hop);
    } catch (error) {
      return { ok: false, reason: `the facts could not be taken: ${errorText(error)}` };
    }
  }

  /**
   * Takes the facts of a host that a program of the call wants to connect to. They cover all programs of the call,
   * because any of them may be the one that connects.
   */
  async examineConnection(execution: Execution, target: string, hop: number): Promise<ConnectionFacts> {
    const { authority } = this.#parts.standing(execution.actor.principal);
    const connecting = connectingPrograms(execution, authority);
    const [first, ...others] = connecting.map(({ program, real_path: realPath }) => ({ program, realPath }));
    if (first === undefined) return { ok: false, reason: "no program of the call may connect" };
    return await this.#parts.connectionFacts({ target, programs: [first, ...others], authority, hop });
  }

  /**
   * Decides on the next hop, with the history of the session up to now. No operator said yes to the hop, so a rule that
   * asks operators denies it.
   */
  decideHop(execution: Execution, questions: Facts["questions"]): GateDecision & { readonly facts: Facts } {
    const facts = { questions, history: this.#historyOf(execution) };
    return { ...this.#ask({ ...execution, facts }, facts.history, { approved: false }), facts };
  }

  /**
   * Decides on a host that a program of a permitted call wants to connect to. The marks and the time are those of now;
   * the counts are those that the call was permitted on, so that the last call within a budget may do what it was
   * permitted for. Bytes that the call's own connections have carried count as well, so that a budget of bytes can end
   * in the middle of a call.
   */
  decideConnection(execution: Execution, question: HostQuestion): GateDecision & { readonly facts: Facts } {
    const own = execution.facts?.history;
    const { at, seconds, has_read_secret, has_seen_untrusted } = this.#historyOf(execution);
    assert(own !== undefined, "a permitted call was decided on a history");
    const bytes = Math.min(own.bytes + (execution.connections?.bytes ?? 0), Number.MAX_SAFE_INTEGER);
    const history = { ...own, bytes, at, seconds, has_read_secret, has_seen_untrusted };
    const facts: Facts = { questions: [question], history };
    return { ...this.#ask({ ...execution, facts }, history, { approved: false }, CONNECT_ACTION), facts };
  }

  /**
   * Why a running call would no longer be permitted by the current policy and the current marks of its principal; null
   * if it still would be. The counts are those that the call was permitted on, so that the last call within a budget
   * may do what it was permitted for.
   */
  forbiddenSince(execution: Execution): string | null {
    const { facts, askedBy, revision } = execution;
    if (facts?.history === undefined) return null;
    const { has_read_secret, has_seen_untrusted } = this.#historyOf(execution);
    const history = { ...facts.history, has_read_secret, has_seen_untrusted };
    const hasYes = askedBy.length > 0;
    const decision = this.#ask(execution, history, { approved: hasYes });
    if (!decision.allowed) return decision.reason;
    const isOtherPolicy = hasYes && decision.revision !== revision;
    return isOtherPolicy && this.#asksOtherwise(execution, history) ? "another policy asks operators about it" : null;
  }

  /**
   * Whether a permitted call may go on to a path below those that it names. INVARIANT: I3: each such path is decided on
   * like a call that names it, by the policy that permitted the call. A yes counts only for what the operators were
   * asked.
   */
  mayReach(execution: Execution, path: string, type: PathQuestion["type"]): boolean {
    const { facts, standing, askedBy } = execution;
    assert(facts?.history && standing, "what is executed was decided on");
    const questions: Facts["questions"] = [{ kind: "path", path, exists: type !== "missing", type, bytes: 0 }];
    if (isKeptFromWalks(path, facts, standing.authority)) return false;
    const about = { ...execution, facts: { questions } };
    const decision = this.#ask(about, facts.history, { approved: false });
    if (decision.revision !== null && decision.revision !== execution.revision) {
      throw new FemtoError("FEMTO_EXECUTION_HALTED", "another policy came into force while the call ran");
    }
    if (decision.allowed) return true;
    const isAsked = decision.code === "FEMTO_APPROVAL_REQUIRED" && decision.rules.every((id) => askedBy.includes(id));
    return isAsked && this.#ask(about, facts.history, { approved: true }).allowed;
  }

  /**
   * Why something that a call began, such as a terminal, would not be permitted now, given the whole current history of
   * its session; null if it would be.
   */
  forbiddenNow(execution: Execution): string | null {
    const history = this.#historyOf(execution);
    const decision = this.#ask(execution, history, { approved: false });
    if (decision.allowed) return null;
    // INVARIANT: I8: a yes answers what one policy asks; if another policy asks, it asks anew.
    const hasYes = execution.askedBy.length > 0 && decision.revision === execution.revision;
    return hasYes && this.#ask(execution, history, { approved: true }).allowed ? null : decision.reason;
  }

  #historyOf({ session, actor }: Execution): HistoryFacts {
    const { clock, histories } = this.#parts;
    const moment = { nowUs: clock.nowUs(), monotonicUs: clock.monotonicUs() };
    return histories.facts(session, actor.principal, moment);
  }

  // INVARIANT: I3: anything but a clear permit denies, an exception included.
  #ask(
    { actor, call, facts, share }: Execution,
    history: HistoryFacts,
    { approved }: Yes,
    capability = call?.tool ?? "",
  ): GateDecision {
    try {
      assert(call !== null && facts !== null, "a decision is about a call with its facts");
      const { questions } = facts;
      return this.#parts.decide({
        principal: actor.principal,
        capability,
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

/** Whether policies see no difference between two histories. */
function isSameHistory(one: HistoryFacts | undefined, other: HistoryFacts): boolean {
  if (one === undefined) return false;
  for (const name in other) if (one[name as keyof HistoryFacts] !== other[name as keyof HistoryFacts]) return false;
  return true;
}

/**
 * The programs of a call, if for each of them some entry names a host to connect to; none if one of them has no entry.
 */
export function connectingPrograms({ facts }: Pick<Execution, "facts">, authority: Authority): ProgramQuestion[] {
  const questions: readonly FactQuestion[] = facts?.questions ?? [];
  const programs = questions.filter((question) => question.kind === "program");
  const mayConnect = ({ program, real_path: realPath }: ProgramQuestion): boolean =>
    connectGrants(authority, { program, realPath }).length > 0;
  return programs.every(mayConnect) ? programs : [];
}

/**
 * Secrets are hidden from a call that walks through a folder above them, as they are from programs. Only a call that
 * names a secret reads it.
 */
function isKeptFromWalks(path: string, { questions }: Facts, { sensitive }: Authority): boolean {
  const isNamed = (secret: string): boolean =>
    questions.some((question) => question.kind === "path" && isWithin(question.path, secret));
  return (sensitive?.secret ?? []).some((grant) => isWithin(path, grant.path) && !isNamed(grant.path));
}
