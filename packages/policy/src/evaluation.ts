/** One question to the engine: checked in full, cut down to what the rules read, asked, and its answer read. */
import type { AuthorizationAnswer } from "@cedar-policy/cedar-wasm/web";
import type { Cedar } from "./cedar-instance.ts";
import { type Verdict, verdictOf } from "./decision.ts";
import { type FactRecord, recordFault } from "./projection/fact-types.ts";
import { callKey, engineCall, type ProjectedCall, projectedCall } from "./projection/projected-call.ts";
import type { ProjectedAction, ProjectedPolicy } from "./projection/projected-policy.ts";
import { checkRequest, type DecisionRequest } from "./request.ts";
import type { RuleSet } from "./rule-set.ts";

export interface PreparedQuestion {
  readonly ok: true;
  readonly action: ProjectedAction;
  readonly call: ProjectedCall;
  /** Under one revision, two questions with one key have one answer. */
  readonly key: string;
}

export type PrepareResult = PreparedQuestion | { readonly ok: false; readonly fault: string };

export function prepare(question: DecisionRequest, policy: ProjectedPolicy): PrepareResult {
  const checked = checkRequest(question);
  if (!checked.ok) return checked;
  const { request } = checked;
  const action = policy.actions.get(request.capability);
  if (action === undefined) return { ok: false, fault: "the schema knows no such action" };
  if (action.resourceType !== request.resource.type) {
    return { ok: false, fault: `the question is about a ${request.resource.type}, and not a ${action.resourceType}` };
  }
  const context: Record<string, unknown> = { ...request.facts };
  for (const [name, circumstance] of Object.entries(request.circumstances)) {
    if (Object.hasOwn(request.facts, name)) return { ok: false, fault: `a fact poses as the circumstance ${name}` };
    if (action.context.has(name)) context[name] = circumstance;
  }
  // INVARIANT: all of the context is checked, also what no rule reads and what is left out afterwards.
  const fault = recordFault(context, action.context);
  if (fault !== null) return { ok: false, fault };
  const call = projectedCall(request, context as FactRecord, action);
  return { ok: true, action, call, key: callKey(call) };
}

/** Throws where the engine does; its instance cannot be trusted any more then. */
export function evaluate(cedar: Cedar, { action, call }: PreparedQuestion): Verdict {
  return verdictOf(named(cedar.statefulIsAuthorized(engineCall(call, action)), action.set.rules), action.name);
}

/** The answer with the identifiers of the rules. */
function named(answer: AuthorizationAnswer, rules: RuleSet): AuthorizationAnswer {
  if (answer.type !== "success") return answer;
  const { decision, diagnostics } = answer.response;
  const reason = diagnostics.reason.map((policyId) => rules.ruleId(policyId));
  const errors = diagnostics.errors.map(({ policyId, error }) => ({ policyId: rules.ruleId(policyId), error }));
  return { ...answer, response: { decision, diagnostics: { reason, errors } } };
}
