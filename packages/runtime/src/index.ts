/**
 * The embeddable execution authority.
 *
 * `resolveConfiguration` checks a configuration against this machine, `createRuntime` starts a runtime from it, and
 * `runtime.openSession` lets somebody propose. Everything proposed there is validated, authorized, executed in
 * isolation and recorded before it is answered. `replay` and `recompute` check a log against the machines.
 *
 * What only hosts and auditors' tools need has entry points of its own: `/redecide` decides recorded calls once more,
 * `/epochs` begins a log with what another one holds, `/configuration` reads a configuration and runs nothing, and
 * `/live` is what a host loads while it starts.
 */

// What is said to a runtime, and what it answers.

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

// A runtime, and what it is started from.

export type { Inspect } from "./actors/system.ts";
export { type ConfigurationInput, resolveConfiguration } from "./configuration/resolve-configuration.ts";
export type { ResolvedConfiguration } from "./configuration/resolved-configuration.ts";
export type { DeployedSources, Integrity } from "./deployment.ts";
export * from "./live.ts";
export type { LogEntry, PolicyFilesOption, PolicySource, RuntimeOptions } from "./options.ts";
export type { TelemetryExporter, TelemetryGauges, TelemetrySource } from "./telemetry-port.ts";
export type { CheckpointOffer, Witness, WitnessAnswer, WitnessStatus } from "./witness-port.ts";

// Who proposes.

export type { ProposeOptions, Session, SessionOptions } from "./sessions/session.ts";

// Who answers questions, and operates what runs.

export { type Answer, operatorName, questionDigestOf } from "./gate/questions/answers.ts";
export type { Approvals } from "./operators/approvals.ts";
export type { ResolutionRequest } from "./operators/resolutions.ts";
export type { PruneRequest, Retention } from "./operators/retention.ts";
export type { RuntimeStatus, SessionStatus, ShadowStatus, UpstreamStatus } from "./operators/status.ts";
export type { OutputReader, WatchRequest } from "./outputs/outputs.ts";
export type { ChangesRequest } from "./relay/changes.ts";
export type { RelayWishes } from "./relay/relays.ts";
export type { HaltRequest } from "./sessions/session-halts.ts";
export { recordingPage } from "./terminals/recording.ts";

// Who replays and verifies.

export { eventCount } from "./projection/execution-records.ts";
export type { Counters } from "./projection/executions.ts";
export { Projection } from "./projection/projection.ts";
export type { ProjectionView } from "./projection/projection-view.ts";
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
