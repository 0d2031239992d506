/** One question to the engine: checked, asked as a whole or cut down to what the rules read, and its answer read. */
import type { AuthorizationAnswer, StatefulAuthorizationCall } from "@cedar-policy/cedar-wasm/web";
import type { Cedar } from "./cedar-instance.ts";
import { type Verdict, verdictOf } from "./decision.ts";
import { type FactRecord, recordFault } from "./projection/fact-types.ts";
import { callKey, callRules, engineCall, projectedCall } from "./projection/projected-call.ts";
import type { ProjectedPolicy } from "./projection/projected-policy.ts";
import { authorizationCall, checkRequest, type DecisionRequest, type RequestTarget } from "./request.ts";
import type { RuleSet } from "./rule-set.ts";

export interface PreparedQuestion {
  readonly ok: true;
  /** Under one revision, two questions with one key have one answer; null where that is not known. */
  readonly key: string | null;
  /** What the engine is asked; not made for an answer that is remembered. */
  readonly asked: () => EngineQuestion;
}

interface EngineQuestion {
  readonly call: StatefulAuthorizationCall;
  /** Whose names the answer has to be given. */
  readonly rules: RuleSet;
}

export type PrepareResult = PreparedQuestion | { readonly ok: false; readonly fault: string };

/** All rules and all that is known: for a policy that was not projected yet. */
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
  // INVARIANT: all of the context is checked, also what no rule reads and what is left out afterwards.
  const fault = recordFault(context, action.context);
  if (fault !== null) return { ok: false, fault };
  const call = projectedCall(request, context as FactRecord, action);
  const asked = (): EngineQuestion => {
    const set = callRules(call, action);
    return { call: engineCall(call, action, set), rules: set.rules };
  };
  return { ok: true, key: callKey(call), asked };
}

/** Throws where the engine does; its instance cannot be trusted any more then. */
export function evaluate(cedar: Cedar, { asked }: PreparedQuestion, capability: string): Verdict {
  const { call, rules } = asked();
  return verdictOf(named(cedar.statefulIsAuthorized(call), rules), capability);
}

/** The answer with the identifiers of the rules. */
function named(answer: AuthorizationAnswer, rules: RuleSet): AuthorizationAnswer {
  if (answer.type !== "success") return answer;
  const { decision, diagnostics } = answer.response;
  const reason = diagnostics.reason.map((policyId) => rules.ruleId(policyId));
  const errors = diagnostics.errors.map(({ policyId, error }) => ({ policyId: rules.ruleId(policyId), error }));
  return { ...answer, response: { decision, diagnostics: { reason, errors } } };
}
