/** Facts to decisions: what the operator granted, compiled to Cedar, validated and evaluated. Deny by default. */

export { describePolicy, describeRule, describeTrial } from "./describe.ts";
export type { Explanation, NearestPermit } from "./explaining/explain.ts";
export { type GrantProposal, type RefusedQuestion, type Remedy, remedyFor } from "./explaining/narrowest-grant.ts";
export { PolicyReader } from "./explaining/policy-reader.ts";
export type { RecordedPolicy } from "./explaining/recorded-policy.ts";
export * from "./live.ts";
