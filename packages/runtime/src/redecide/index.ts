/** Decides recorded calls once more: as they were decided, under the rules on trial, or under other ones. */
export {
  AS_RECORDED,
  CandidateJudge,
  type Judge,
  ON_TRIAL,
  RecordedJudge,
  RecordedTrialJudge,
  trialBody,
} from "./judges.ts";
export {
  callOf,
  type DecidedLog,
  type DifferenceGroup,
  type PolicyDifference,
  policyDifference,
} from "./policy-difference.ts";
export {
  askerOf,
  capabilityOf,
  isDecided,
  type Judgement,
  type RecordedCall,
  recordedCall,
  toolOf,
} from "./recorded-call.ts";
export { type DecisionLog, newestTrial, recordedDecision } from "./recorded-decision.ts";
export { RecordedPolicies } from "./recorded-policies.ts";
