/** One question to the engine: checked, asked as a whole or cut down to what the rules read, and its answer read. */
import type { AuthorizationAnswer, StatefulAuthorizationCall } from "@cedar-policy/cedar-wasm/web";
import type { Cedar } from "./cedar-instance.ts";
import { type Verdict, verdictOf } from "./decision.ts";
import { type FactRecord, recordFault } from "./projection/fact-types.ts";
import { callKey, engineCall, projectedCall } from "./projection/projected-call.ts";
import type { ProjectedPolicy } from "./projection/projected-policy.ts";
import { authorizationCall, checkRequest, type DecisionRequest, type RequestTarget } from "./request.ts";
import type { RuleSet } from "./rule-set.ts";

export interface PreparedQuestion {
  readonly ok: true;
  readonly call: StatefulAuthorizationCall;
  /** Whose names the answer has to be given. */
  readonly rules: RuleSet;
  /** Under one revision, two questions with one key have one answer; null where that is not known. */
  readonly key: string | null;
}

export type PrepareResult = PreparedQuestion | { readonly ok: false; readonly fault: string };

/** All rules and all that is known: for a policy that was not projected yet. */
export function prepareWhole(
  question: DecisionRequest,
  target: RequestTarget & { readonly set: RuleSet },
): PrepareResult {
  const prepared = authorizationCall(question, target);
  return prepared.ok ? { ...prepared, rules: target.set, key: null } : prepared;
}

export function prepareProjected(question: DecisionRequest, policy: ProjectedPolicy): PrepareResult {
  const checked = checkRequest(question);
  if (!checked.ok) return checked;
  const { request } = checked;
  const action = policy.actions.get(request.capability);
  if (action === undefined) return { ok: false, fault: "the schema knows no such action" };
  if (action.resourceType !== request.resource.type) {
    return { ok: false, fault: `the question is about a ${request.resource.type}, and not a ${action.resourceType}` };
  }
  const { context } = request;
  // INVARIANT: all of the context is checked, also what no rule reads and what is left out afterwards.
  const fault = recordFault(context, action.context);
  if (fault !== null) return { ok: false, fault };
  const call = projectedCall(request, context as FactRecord, action);
  return { ok: true, call: engineCall(call, action), rules: action.set.rules, key: callKey(call) };
}

/** Throws where the engine does; its instance cannot be trusted any more then. */
export function evaluate(cedar: Cedar, { call, rules }: PreparedQuestion, capability: string): Verdict {
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
