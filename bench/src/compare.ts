/**
 * Compares two runs. A figure has changed if the spreads of its rounds do not even touch and its medians differ by more
 * than they do from run to run on one machine; anything less is noise, and is called so.
 */
import type { ExecutionRow } from "./execution.ts";
import type { MeasureRow } from "./measurement.ts";
import type { BenchReport } from "./presets.ts";
import { rounded } from "./quantiles.ts";
import type { Yardstick } from "./yardstick.ts";

/**
 * Medians that differ by less than a tenth count as equal, however narrow their spreads: they differ that much by
 * chance.
 */
const NOISE = 0.1;
/** A yardstick that differs by more than a quarter means that the machine was another one, or busy. */
const SAME_MACHINE = 0.25;

export interface Change {
  /** Preset, measure and circumstances. */
  readonly figure: string;
  readonly unit: string;
  readonly before: number;
  readonly after: number;
  /** `after` as a multiple of `before`. */
  readonly ratio: number;
  /** The larger of the two spreads, as a fraction of its median. */
  readonly spread: number;
  readonly verdict: "better" | "worse" | "noise";
}

export interface Comparison {
  /** For each figure of the yardstick, the new value as a multiple of the old one. */
  readonly yardstick: Readonly<Record<keyof Yardstick, number>>;
  /** False if machine or yardstick differ, so that changes say little about the software. */
  readonly comparable: boolean;
  readonly before: { readonly version: string; readonly commit: string | null };
  readonly changes: readonly Change[];
  /** Figures that only one of the two runs has. */
  readonly unmatched: number;
}

export function compareReports(before: BenchReport, after: BenchReport): Comparison {
  const [oldRows, newRows] = [before.rows.filter(isFigure), after.rows.filter(isFigure)];
  const old = new Map(oldRows.map((row) => [figureOf(row), row]));
  const changes = newRows.flatMap((row) => {
    const other = old.get(figureOf(row));
    return other === undefined ? [] : [changeOf(other, row)];
  });
  const { sync_put_per_s, grouped_put_per_s, node_e0_ms } = after.yardstick;
  const yardstick = {
    sync_put_per_s: rounded(sync_put_per_s / before.yardstick.sync_put_per_s),
    grouped_put_per_s: rounded(grouped_put_per_s / before.yardstick.grouped_put_per_s),
    node_e0_ms: rounded(node_e0_ms / before.yardstick.node_e0_ms),
  };
  const isSame = (ratio: number): boolean => Math.abs(Math.log(ratio)) <= Math.log(1 + SAME_MACHINE);
  return {
    yardstick,
    comparable:
      before.machine.cpu === after.machine.cpu &&
      before.machine.cores === after.machine.cores &&
      before.quick === after.quick &&
      Object.values(yardstick).every(isSame),
    before: { version: before.version, commit: before.commit },
    changes,
    unmatched: oldRows.length + newRows.length - 2 * changes.length,
  };
}

/** Throws an error with the reason if the text is no report of a run. */
export function readReport(text: string): BenchReport {
  const report = JSON.parse(text) as Partial<BenchReport> | null;
  const { machine, yardstick, rows } = report ?? {};
  if (!Array.isArray(rows) || typeof machine !== "object" || typeof yardstick !== "object") {
    throw new Error("it is not what `bench --json` prints");
  }
  return { version: "unknown", commit: null, quick: false, ...report, machine, yardstick, rows } as BenchReport;
}

/** Crashes are counts with aims of their own, and a zero has no multiple. */
function isFigure(row: ExecutionRow | MeasureRow): boolean {
  return "executions_per_s" in row || (row.unit !== "kills" && row.value !== 0);
}

function figureOf(row: ExecutionRow | MeasureRow): string {
  if ("executions_per_s" in row) {
    const { surface, effect = "noop", requests, callers } = row;
    return `execution ${surface} ${effect} ${requests}, ${callers} callers`;
  }
  const { preset, measure, unit: _, surface, records, threads, rules, callers, waiting } = row;
  // A history becomes a little larger than requested.
  const magnitude = records === undefined ? undefined : Number(records.toPrecision(1));
  const circumstances = Object.entries({ records: magnitude, threads, rules, callers, waiting })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `, ${value} ${name}`);
  return `${preset} ${measure}${surface === undefined ? "" : ` of the ${surface}`}${circumstances.join("")}`;
}

function changeOf(before: ExecutionRow | MeasureRow, after: ExecutionRow | MeasureRow): Change {
  const [old, now] = [spreadOf(before), spreadOf(after)];
  const ratio = now.value / old.value;
  const isApart = now.lowest > old.highest || now.highest < old.lowest;
  // A single round has no spread, so nothing can be told from noise.
  const isTold = isApart && old.rounds > 1 && now.rounds > 1 && Math.abs(Math.log(ratio)) > Math.log(1 + NOISE);
  const isMore = now.value > old.value;
  const direction = isMore === now.unit.endsWith("/s") ? "better" : "worse";
  return {
    figure: figureOf(after),
    unit: now.unit,
    before: old.value,
    after: now.value,
    ratio: rounded(ratio),
    spread: rounded(Math.max(old.spread, now.spread)),
    verdict: isTold ? direction : "noise",
  };
}

function spreadOf(row: ExecutionRow | MeasureRow) {
  const [value, unit] =
    "executions_per_s" in row ? [row.executions_per_s, "executions/s"] : ([row.value, row.unit] as const);
  const { lowest, highest, rounds } = row;
  return { value, unit, lowest, highest, rounds, spread: (highest - lowest) / value };
}
