/**
 * From facts to decisions: what the operator granted is compiled to Cedar, validated and evaluated. Deny by default.
 */

export { describePolicy, describeRule, describeTrial } from "./describe.ts";
export type { Explanation } from "./explaining/explain.ts";
export { type GrantProposal, remedyFor } from "./explaining/narrowest-grant.ts";
export { PolicyReader } from "./explaining/policy-reader.ts";
export * from "./live.ts";
