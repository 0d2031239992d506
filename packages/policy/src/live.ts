/** The part of policy that a running host needs: what decides, without what explains. */
export {
  type CompiledPolicy,
  compilePolicy,
  ENGINE_VERSION,
  type EnforceablePolicy,
  policyRevision,
} from "./compile.ts";
export { type Decision, type Question, toldReason } from "./decision.ts";
export { DecisionShare } from "./decision-share.ts";
export { createPolicyEngine, type PolicyEngine, type PolicyEngineOptions, policyEngines } from "./engine.ts";
export type { NameLookup } from "./files/check-names.ts";
export { confinedAuthority } from "./files/confined-authority.ts";
export type { FileRule, PolicyFile } from "./files/file-rule.ts";
export { loadPolicyFiles, type PolicyFileRules } from "./files/load-policy-files.ts";
export { PolicyTrial } from "./files/trial.ts";
export { historyContext, NO_HISTORY } from "./history-context.ts";
export type { LintFinding } from "./lint.ts";
export { mayOffer } from "./may-offer.ts";
export { mayPermit } from "./may-permit.ts";
export type { DecisionRequest } from "./request.ts";
export { contextOf, type PolicyAction, policyActions } from "./schema.ts";
