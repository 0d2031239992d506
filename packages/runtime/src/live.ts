/** The part of the library that a running host needs, without what examines history or begins another log. */
export { createRuntime } from "./create-runtime.ts";
export { executionNamed, type HistoryQuery, listExecutions, notFound, showExecution } from "./operators/history.ts";
export { Runtime } from "./runtime.ts";
export { recordedLabel } from "./sessions/recorded-label.ts";
export { type ProcessIdentity, type Storage, type Surroundings, systemSurroundings } from "./surroundings.ts";
