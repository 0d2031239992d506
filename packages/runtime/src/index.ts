/**
 * The embeddable execution authority.
 *
 * `resolveConfiguration` checks a configuration against this machine, `createRuntime` starts a runtime from it, and
 * `runtime.openSession` lets somebody propose. Everything proposed there is validated, authorized, executed in
 * isolation and recorded before it is answered.
 */

export {
  type Answered,
  type ApprovalCard,
  type ComparedUpstream,
  type ExecutionView,
  FemtoError,
  type Fork,
  type Halt,
  type PackageView,
  type ProtocolMessage,
  type Pruning,
  type Reply,
  type TerminalStatus,
  type UpstreamView,
} from "@femtoclaw/protocol";
export type { Inspect } from "./actors/system.ts";
export * from "./configuration/index.ts";
export { type DeployedSources, type Integrity, machineDigests, manifestDigests } from "./deployment.ts";
export { type ForkOptions, forkLog } from "./epochs/fork.ts";
export { freePlace, placeInOwnFolder } from "./epochs/free-place.ts";
export type { OpenedEpoch } from "./epochs/open-epoch.ts";
export { type RestoredLog, type RestoreOptions, restoreLog } from "./epochs/restore.ts";
export { putInPlace, WorkFolder } from "./epochs/work-folder.ts";
export { type Answer, operatorName, questionDigestOf } from "./gate/questions/answers.ts";
export * from "./live.ts";
export type { Approvals } from "./operators/approvals.ts";
export type { ResolutionRequest } from "./operators/resolutions.ts";
export type { PruneRequest, Retention } from "./operators/retention.ts";
export type { RuntimeStatus, SessionStatus, ShadowStatus, UpstreamStatus } from "./operators/status.ts";
export type { LogEntry, PolicyFilesOption, PolicySource, RuntimeOptions } from "./options.ts";
export type { OutputReader, WatchRequest } from "./outputs/outputs.ts";
export { eventCount } from "./projection/execution-records.ts";
export type { Counters } from "./projection/executions.ts";
export { Projection } from "./projection/projection.ts";
export {
  AS_RECORDED,
  CandidateJudge,
  type Judge,
  ON_TRIAL,
  RecordedJudge,
  RecordedTrialJudge,
  trialBody,
} from "./redecide/judges.ts";
export {
  callOf,
  type DecidedLog,
  type DifferenceGroup,
  type PolicyDifference,
  policyDifference,
} from "./redecide/policy-difference.ts";
export {
  askerOf,
  capabilityOf,
  isDecided,
  type Judgement,
  type RecordedCall,
  recordedCall,
  toolOf,
} from "./redecide/recorded-call.ts";
export { type DecisionLog, newestTrial, recordedDecision } from "./redecide/recorded-decision.ts";
export { RecordedPolicies } from "./redecide/recorded-policies.ts";
export type { ChangesRequest } from "./relay/changes.ts";
export type { RelayWishes } from "./relay/relays.ts";
export type { Divergence, MachineUse, Obstacle } from "./replay/divergence.ts";
export { type Recomputation, type RecomputeOptions, recompute } from "./replay/recompute.ts";
export {
  type FoldedLog,
  firstState,
  type Replay,
  type ReplayOptions,
  replay,
  replayDifference,
} from "./replay/replay.ts";
export { type StateDifference, stateDifferences } from "./replay/state-difference.ts";
export type { ProposeOptions, Session, SessionOptions } from "./sessions/session.ts";
export type { HaltRequest } from "./sessions/session-halts.ts";
export type { TelemetryExporter, TelemetryGauges, TelemetrySource } from "./telemetry-port.ts";
export { recordingPage } from "./terminals/recording.ts";
export type { CheckpointOffer, Witness, WitnessAnswer, WitnessStatus } from "./witness-port.ts";
