/** The part of policy that a running host needs: what decides, without what explains. */
export { type CompiledPolicy, compilePolicy, type EnforceablePolicy } from "./compile.ts";
export { type Decision, type Question, toldReason } from "./decisions/decision.ts";
export { DecisionShare } from "./decisions/decision-share.ts";
export { historyContext, NO_HISTORY } from "./decisions/history-context.ts";
export { mayOffer } from "./decisions/may-offer.ts";
export { mayPermit } from "./decisions/may-permit.ts";
export type { DecisionRequest } from "./decisions/request.ts";
export { createPolicyEngine, type PolicyEngine, type PolicyEngineOptions, policyEngines } from "./engine/engine.ts";
export type { NameLookup } from "./files/check-names.ts";
export { confinedAuthority } from "./files/confined-authority.ts";
export type { FileRule, PolicyFile } from "./files/file-rule.ts";
export { loadPolicyFiles, type PolicyFileRules } from "./files/load-policy-files.ts";
export { PolicyTrial } from "./files/trial.ts";
export { contextOf, type PolicyAction, policyActions } from "./schema.ts";
export type { LintFinding } from "./tables/lint.ts";
