/** Reports of the bench as tables, one per preset, and comparisons of two reports. */
import type { BenchReport, Comparison, ExecutionRow, JudgedAim, MeasureRow } from "@femtoclaw/bench";
import { table } from "./table.ts";

const BAR_CELLS = 40;
const QUICK = "A quick run shows that all of it works. Its figures say nothing about how fast something is.";

export function reportLines({ machine, version, commit, quick, yardstick, rows }: BenchReport): string[] {
  const presets = [...new Set(rows.map(({ preset }) => preset))];
  return [
    `FemtoClaw ${version}${commit === null ? "" : ` (${commit})`}`,
    `${machine.cores} × ${machine.cpu}, ${machine.memory_gib} GiB, ${machine.system}, Node ${machine.node}`,
    `yardstick: ${yardstick.sync_put_per_s} single sync puts/s, ${yardstick.grouped_put_per_s} grouped puts/s, empty process ${yardstick.node_e0_ms} ms`,
    ...(quick ? [QUICK] : []),
    ...presets.flatMap((preset) => ["", ...presetLines(rows.filter((row) => row.preset === preset))]),
  ];
}

function presetLines(rows: BenchReport["rows"]): string[] {
  const executions = rows.filter((row): row is ExecutionRow => "executions_per_s" in row);
  const measures = rows.filter((row): row is MeasureRow => !("executions_per_s" in row));
  return [
    ...(executions.length === 0 ? [] : executionLines(executions)),
    ...(measures.length === 0 ? [] : measureLines(measures)),
  ];
}

function executionLines(rows: readonly ExecutionRow[]): string[] {
  const header = [
    "preset",
    "surface",
    "effect",
    "requests",
    "callers",
    "executions/s",
    "of minimal",
    "p50 ms",
    "p99 ms",
  ];
  const cells = rows.map((row) => [
    ...[row.preset, row.surface, row.effect, row.requests, String(row.callers), String(row.executions_per_s)],
    ...[row.ratio === undefined ? "-" : `${row.ratio}×`, String(row.p50_ms), String(row.p99_ms), String(row.cpu_us)],
    ...[String(row.rounds), aimText(row.aims)],
  ]);
  return table([[...header, "CPU µs each", "rounds", "aim"], ...cells]);
}

/** There is a column for each circumstance that any of the rows has. */
function measureLines(rows: readonly MeasureRow[]): string[] {
  const circumstances = (["surface", "records", "rules", "threads", "callers", "waiting"] as const).filter((name) =>
    rows.some((row) => row[name] !== undefined),
  );
  const hasRatio = rows.some(({ ratio }) => ratio !== undefined);
  const header = [
    ...["preset", "measure", ...circumstances, "median", "lowest", "highest", "unit"],
    ...[...(hasRatio ? ["ratio", "of"] : []), "CPU µs", "rounds", "aim"],
  ];
  const cells = rows.map((row) => [
    ...[row.preset, row.measure, ...circumstances.map((name) => String(row[name] ?? "-"))],
    ...[String(row.value), String(row.lowest), String(row.highest), row.unit],
    ...(hasRatio ? besideCells(row) : []),
    ...[String(row.cpu_us ?? "-"), String(row.rounds), aimText(row.aims)],
  ]);
  return [...table([header, ...cells]), ...barLines(rows)];
}

function besideCells({ ratio, beside, beside_value, unit }: MeasureRow): string[] {
  return ratio === undefined ? ["-", "-"] : [`${ratio}×`, `${beside}: ${beside_value} ${unit}`];
}

function aimText(aims: readonly JudgedAim[] = []): string {
  if (aims.length === 0) return "-";
  return aims
    .map(({ aim, holds }) => `${aim.replace(">=", "≥").replace("<=", "≤")} ${holds ? "met" : "missed"}`)
    .join(", ");
}

/** The cost of an execution at each size, as bars. */
function barLines(rows: readonly MeasureRow[]): string[] {
  const costs = rows.filter(({ unit }) => unit === "us/execution");
  const most = Math.max(...costs.map(({ value }) => value));
  const bars = costs.map(({ records, rules, value }) => [
    records === undefined ? `${rules} rules` : `${records} records`,
    "█".repeat(Math.max(1, Math.round((value / most) * BAR_CELLS))),
    `${value} µs`,
  ]);
  return costs.length === 0 ? [] : ["", "CPU of an execution", ...table(bars, "  ")];
}

export function comparisonLines({ yardstick, comparable, before, changes, unmatched }: Comparison): string[] {
  const told = changes.filter(({ verdict }) => verdict !== "noise");
  const header = ["figure", "before", "after", "unit", "change", "spread", "verdict"];
  const cells = told.map((change) => [
    ...[change.figure, String(change.before), String(change.after), change.unit, `${change.ratio}×`],
    ...[`±${Math.round((change.spread * 100) / 2)} %`, change.verdict],
  ]);
  return [
    "",
    `compared with FemtoClaw ${before.version}${before.commit === null ? "" : ` (${before.commit})`}`,
    `yardstick: single sync puts ${yardstick.sync_put_per_s}×, grouped puts ${yardstick.grouped_put_per_s}×, empty process ${yardstick.node_e0_ms}×`,
    ...(comparable ? [] : ["The machine was another one, or busy: what changed says little about the software."]),
    ...(told.length === 0 ? [] : table([header, ...cells])),
    `${changes.length - told.length} of ${changes.length} figures are within noise; ${unmatched} stand in one of the runs alone`,
  ];
}
