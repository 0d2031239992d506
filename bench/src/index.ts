/** Figures of this machine, beside the yardstick of the same run. */
export type { JudgedAim } from "./aim.ts";
export { type Change, type Comparison, compareReports, readReport } from "./compare.ts";
export type { ExecutionRow } from "./execution.ts";
export type { HostCommand } from "./host-start.ts";
export type { Machine } from "./machine.ts";
export type { MeasureRow } from "./measurement.ts";
export {
  type BenchOptions,
  type BenchPreset,
  type BenchReport,
  HISTORY_PRESETS,
  PRESETS,
  runBench,
} from "./presets.ts";
export type { Yardstick } from "./yardstick.ts";
