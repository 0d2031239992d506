/** Formats reports as they appear in docs/reference/bench-run.md. Pure. */
import type { JudgedAim } from "../../src/aim.ts";
import type { Machine } from "../../src/machine.ts";
import { median } from "../../src/quantiles.ts";
import type { Yardstick } from "../../src/yardstick.ts";
import { type CrashFinding, type LoadRow, type RatioRow, STEPS, VERDICTS } from "./figures.ts";
import { SYSTEMS, type SystemName } from "./systems.ts";
import type { Missing } from "./trials.ts";

interface Run {
  readonly machine: Machine;
  readonly version: string;
  readonly commit: string | null;
  readonly quick: boolean;
  /** Systems that were not measured, and why. */
  readonly missing: readonly Missing[];
}

export interface LoadReport extends Run {
  /** One for each round. */
  readonly yardsticks: readonly Yardstick[];
  readonly rows: readonly LoadRow[];
  readonly ratios: readonly RatioRow[];
}

export interface CrashReport extends Run {
  readonly systems: readonly SystemName[];
  readonly findings: readonly CrashFinding[];
}

const STEP_TITLES = {
  "before-intent": "before the intent is durable",
  "before-effect": "before the effect",
  "in-effect": "in the middle of the effect",
  "before-outcome": "before the outcome is durable",
  "after-outcome": "after the outcome",
} satisfies Record<(typeof STEPS)[number], string>;
const QUICK = "A quick run shows that all of it works. Its figures say nothing about how fast something is.";

export function loadLines(report: LoadReport): string[] {
  const header = ["system", "callers", "executions/s", "lowest", "highest", "p50 ms", "p99 ms", "CPU µs"];
  const rows = report.rows.map(({ system, callers, ...figures }) => [
    ...[SYSTEMS[system].title, grouped(callers), grouped(figures.executions_per_s), grouped(figures.lowest)],
    ...[grouped(figures.highest), grouped(figures.p50_ms), grouped(figures.p99_ms), grouped(figures.cpu_us)],
  ]);
  const rounds = report.yardsticks.length;
  return [
    ...runLines(report),
    `Yardstick: ${yardstickText(report.yardsticks)}.`,
    `Medians of ${rounds === 1 ? "1 round" : `${rounds} interleaved rounds`}.`,
    ...["", ...markdownTable([header, ...rows, ...missingRows(report.missing, header.length)])],
    ...["", ...ratioLines(report.ratios)],
  ];
}

export function crashLines(report: CrashReport): string[] {
  const header = ["killed", ...STEPS.map((step) => STEP_TITLES[step])];
  const rows = report.systems
    .filter((system) => !report.missing.some((missing) => missing.system === system))
    .map((system) => [
      SYSTEMS[system].title,
      ...STEPS.map((step) =>
        verdictText(report.findings.filter((found) => found.system === system && found.step === step)),
      ),
    ]);
  return [...runLines(report), "", ...markdownTable([header, ...rows, ...missingRows(report.missing, header.length)])];
}

function runLines({ machine, version, commit, quick }: Run): string[] {
  return [
    `FemtoClaw ${version}${commit === null ? "" : ` (${commit})`}, ${machine.cores} × ${machine.cpu}, ${machine.memory_gib} GiB, ${machine.system}, Node ${machine.node}.`,
    ...(quick ? [QUICK] : []),
  ];
}

/** The median of single puts tells how fast the disk was, and their spread how quiet the machine was. */
function yardstickText(yardsticks: readonly Yardstick[]): string {
  const singles = yardsticks.map(({ sync_put_per_s }) => sync_put_per_s);
  const [puts, most, least] = [median(singles), Math.max(...singles), Math.min(...singles)].map(grouped);
  const groups = grouped(median(yardsticks.map(({ grouped_put_per_s }) => grouped_put_per_s)));
  const empty = median(yardsticks.map(({ node_e0_ms }) => node_e0_ms));
  return `${puts} single sync puts/s (${least} to ${most}), ${groups} grouped puts/s, empty process ${empty} ms`;
}

/** One column for each number of callers. */
function ratioLines(ratios: readonly RatioRow[]): string[] {
  const pairs = [...Map.groupBy(ratios, ({ system, beside }) => `${system} ${beside}`).values()];
  const callers = [...new Set(ratios.map((row) => row.callers))];
  if (callers.length === 0) return [];
  const header = [
    "executions/s of",
    "as a multiple of",
    ...callers.map((count) => `${grouped(count)} caller${count === 1 ? "" : "s"}`),
  ];
  const rows = pairs.map((pair) => [
    ...pair.slice(0, 1).flatMap(({ system, beside }) => [SYSTEMS[system].title, SYSTEMS[beside].title]),
    ...callers.map((count) => ratioText(pair.find((row) => row.callers === count))),
  ]);
  return markdownTable([header, ...rows]);
}

function ratioText(row: RatioRow | undefined): string {
  if (row === undefined) return "-";
  return [`${row.ratio}×`, ...(row.aims ?? []).map(aimText)].join(", ");
}

function aimText({ aim, holds }: JudgedAim): string {
  return `${aim.replace("ratio >= ", "≥ ")} ${holds ? "met" : "missed"}`;
}

/** A single word if all rounds agree, otherwise each verdict with its number. */
function verdictText(findings: readonly CrashFinding[]): string {
  const counts = VERDICTS.map((verdict) => ({
    verdict,
    count: findings.filter((found) => found.verdict === verdict).length,
  })).filter(({ count }) => count > 0);
  if (counts.length === 1) return counts.map(({ verdict }) => verdict).join("");
  return counts.map(({ verdict, count }) => `${verdict} ${count}×`).join(", ");
}

function missingRows(missing: readonly Missing[], width: number): string[][] {
  return missing.map(({ system, why }) => {
    const cells = [SYSTEMS[system].title, `not measured: ${why.replaceAll(/\s+/g, " ").replaceAll("|", "/")}`];
    return [...cells, ...Array.from({ length: width - cells.length }, () => "")];
  });
}

function markdownTable([header = [], ...rows]: readonly (readonly string[])[]): string[] {
  return [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
}

/** In English notation; up to three decimals are kept. */
function grouped(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 3 });
}
