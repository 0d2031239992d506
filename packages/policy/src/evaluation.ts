/** One question to the engine: checked in full, cut down to what the rules read, asked, and its answer read. */
import assert from "node:assert/strict";
import type { AuthorizationAnswer } from "@cedar-policy/cedar-wasm/web";
import type { Cedar } from "./cedar-instance.ts";
import { type Verdict, verdictOf } from "./decision.ts";
import { recordFault } from "./projection/fact-types.ts";
import { callKey, engineCall, type ProjectedCall, projectedCall } from "./projection/projected-call.ts";
import type { ProjectedAction, ProjectedPolicy } from "./projection/projected-policy.ts";
import { checkRequest, type DecisionRequest } from "./request.ts";

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
  // INVARIANT: all of the context is checked, also those that no rule reads and that are left out afterwards.
  const fault = recordFault(request.context, action.context);
  if (fault !== null) return { ok: false, fault };
  const call = projectedCall(request, action);
  return { ok: true, action, call, key: callKey(call) };
}

/** Throws where the engine does; its instance cannot be trusted any more then. */
export function evaluate(cedar: Cedar, { action, call }: PreparedQuestion): Verdict {
  return verdictOf(named(cedar.statefulIsAuthorized(engineCall(call, action)), action.set.ruleIds), action.name);
}

/** The answer with our identifiers in the place of `policy0`, `policy1` and so on. */
function named(answer: AuthorizationAnswer, ruleIds: readonly string[]): AuthorizationAnswer {
  if (answer.type !== "success") return answer;
  const ruleId = (policyId: string): string => {
    const id = ruleIds[Number(policyId.slice("policy".length))];
    assert(id !== undefined, "the engine names a rule that it was given");
    return id;
  };
  const { decision, diagnostics } = answer.response;
  const reason = diagnostics.reason.map(ruleId);
  const errors = diagnostics.errors.map(({ policyId, error }) => ({ policyId: ruleId(policyId), error }));
  return { ...answer, response: { decision, diagnostics: { reason, errors } } };
}
