/** The part of the library that a running host needs, without what examines history or begins another log. */
export { createRuntime } from "./create-runtime.ts";
export { type HistoryQuery, listExecutions, notFound, showExecution } from "./history.ts";
export { recordedLabel } from "./recorded-label.ts";
export { Runtime } from "./runtime.ts";
export { type ProcessIdentity, type Storage, type Surroundings, systemSurroundings } from "./surroundings.ts";
