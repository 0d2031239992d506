/**
 * The embeddable execution authority.
 *
 * `resolveConfiguration` checks a configuration against this machine, `createRuntime` starts a runtime
 * from it, `runtime.openSession` gives a proposer its door. Everything proposed there is validated,
 * authorized, executed in isolation and recorded before it is answered.
 */
export {
  type ConfigurationFault,
  configurationFaults,
  isConfiguration,
  jsonPointer,
} from "./configuration/check-configuration.ts";
export { configurationHome, type HostEnvironment, stateHome } from "./configuration/default-directories.ts";
export type { SourceOf } from "./configuration/places.ts";
export {
  type CapabilitySetting,
  type ConfigurationInput,
  type ResolvedConfiguration,
  type ResolvedLimits,
  resolveConfiguration,
} from "./configuration/resolve-configuration.ts";
export { DEFAULT_SEARCH_PATH, findProgram } from "./configuration/resolve-programs.ts";
export { type ExecutionView, type HistoryQuery, listExecutions, notFound, showExecution } from "./history.ts";
export type { LogEntry, RuntimeOptions } from "./options.ts";
export type { OpenExecution } from "./projection/execution-records.ts";
export { ExecutionTable } from "./projection/execution-table.ts";
export { type Counters, Projection } from "./projection/projection.ts";
export type { PruneRequest } from "./pruning.ts";
export { type Replay, type ReplayOptions, replay } from "./replay.ts";
export { createRuntime, Runtime } from "./runtime.ts";
export type { ProposeOptions, Session, SessionOptions } from "./session.ts";
export type { RuntimeStatus } from "./status.ts";
export type { Inspect } from "./system.ts";
export type { TelemetryExporter, TelemetrySource } from "./telemetry-port.ts";
