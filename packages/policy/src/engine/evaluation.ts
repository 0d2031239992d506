/**
 * One question to the engine: checks it, asks it as a whole or cut down to what the rules read, and interprets the
 * answer.
 */
import type { AuthorizationAnswer, StatefulAuthorizationCall } from "@cedar-policy/cedar-wasm/web";
import { type Verdict, verdictOf } from "../decisions/decision.ts";
import { authorizationCall, checkRequest, type DecisionRequest, type RequestTarget } from "../decisions/request.ts";
import { type FactRecord, recordFault } from "../projection/fact-types.ts";
import { callKey, callRules, engineCall, projectedCall } from "../projection/projected-call.ts";
import type { ProjectedPolicy } from "../projection/projected-policy.ts";
import type { Cedar } from "./cedar-instance.ts";
import type { RuleSet } from "./rule-set.ts";

interface PreparedQuestion {
  readonly ok: true;
  /** Under one revision, two questions with the same key have the same answer; null if that is not known. */
  readonly key: string | null;
  /** The question as the engine is asked it. It is not built for an answer that is cached. */
  readonly asked: () => EngineQuestion;
}

interface EngineQuestion {
  readonly call: StatefulAuthorizationCall;
  /** The rules by whose names the answer is to be given. */
  readonly rules: RuleSet;
}

type PrepareResult = PreparedQuestion | { readonly ok: false; readonly fault: string };

/** Uses all rules and all facts: for a policy that is not projected yet. */
export function prepareWhole(
  question: DecisionRequest,
  target: RequestTarget & { readonly set: RuleSet },
): PrepareResult {
  const prepared = authorizationCall(question, target);
  return prepared.ok ? { ok: true, key: null, asked: () => ({ call: prepared.call, rules: target.set }) } : prepared;
}

export function prepareProjected(question: DecisionRequest, policy: ProjectedPolicy): PrepareResult {
  const checked = checkRequest(question);
  if (!checked.ok) return checked;
  const { request } = checked;
  const action = policy.actions.get(request.action);
  if (action === undefined) return { ok: false, fault: "the schema knows no such action" };
  if (action.resourceType !== request.resource.type) {
    return { ok: false, fault: `the question is about a ${request.resource.type}, and not a ${action.resourceType}` };
  }
  const { context } = request;
  // INVARIANT: the whole context is checked, including parts that no rule reads and that are left out afterwards.
  const fault = recordFault(context, action.context);
  if (fault !== null) return { ok: false, fault };
  const call = projectedCall(request, context as FactRecord, action);
  const asked = (): EngineQuestion => {
    const set = callRules(call, action);
    return { call: engineCall(call, action, set), rules: set.rules };
  };
  return { ok: true, key: callKey(call), asked };
}

/** Throws if the engine does; its instance cannot be trusted after that. */
export function evaluate(cedar: Cedar, { asked }: PreparedQuestion, capability: string): Verdict {
  const { call, rules } = asked();
  return verdictOf(named(cedar.statefulIsAuthorized(call), rules), capability);
}

/** Puts the identifiers of the rules into the answer. */
function named(answer: AuthorizationAnswer, rules: RuleSet): AuthorizationAnswer {
  if (answer.type !== "success") return answer;
  const { decision, diagnostics } = answer.response;
  const reason = diagnostics.reason.map((policyId) => rules.ruleId(policyId));
  const errors = diagnostics.errors.map(({ policyId, error }) => ({ policyId: rules.ruleId(policyId), error }));
  return { ...answer, response: { decision, diagnostics: { reason, errors } } };
}
