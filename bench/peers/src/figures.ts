/** What was measured and found, and what is reported of it. Pure: tables are made of rows, and rows of rounds. */
import { type Aim, type JudgedAim, judged } from "../../src/aim.ts";
import { median, rounded } from "../../src/quantiles.ts";
import type { Told } from "./system.ts";
import type { SystemName } from "./systems.ts";

export interface LoadRound {
  readonly system: SystemName;
  readonly callers: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU time of all processes per execution, callers and servers included. */
  readonly cpuUs: number;
}

export interface LoadRow {
  readonly system: SystemName;
  readonly callers: number;
  /** Median of the rounds, followed by the lowest and the highest of them. */
  readonly executions_per_s: number;
  readonly lowest: number;
  readonly highest: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly cpu_us: number;
  readonly rounds: number;
}

/** In the order of the systems, in whatever order their rounds came. */
export function loadRows(systems: readonly SystemName[], rounds: readonly LoadRound[]): LoadRow[] {
  return systems.flatMap((system) => {
    const own = Map.groupBy(
      rounds.filter((round) => round.system === system),
      ({ callers }) => callers,
    );
    return [...own].map(([callers, some]) => {
      const over = (value: (round: LoadRound) => number): number => rounded(median(some.map(value)));
      const rates = some.map(({ perSecond }) => perSecond);
      return {
        system,
        callers,
        executions_per_s: Math.round(median(rates)),
        lowest: Math.round(Math.min(...rates)),
        highest: Math.round(Math.max(...rates)),
        p50_ms: over(({ p50Ms }) => p50Ms),
        p99_ms: over(({ p99Ms }) => p99Ms),
        cpu_us: over(({ cpuUs }) => cpuUs),
        rounds: some.length,
      };
    });
  });
}

export interface RatioRow {
  readonly system: SystemName;
  readonly beside: SystemName;
  readonly callers: number;
  /** executions_per_s as a multiple of the other system's. */
  readonly ratio: number;
  readonly aims?: readonly JudgedAim[];
}

/** Pairs whose callers are in the same place and which can thus be compared, with the multiple that is aimed at. */
const COMPARED: readonly {
  readonly system: SystemName;
  readonly beside: SystemName;
  readonly atLeast: Readonly<Record<number, number>>;
}[] = [
  { system: "femtoclaw-in-process", beside: "dbos", atLeast: { 10: 10, 100: 10, 1000: 10 } },
  { system: "femtoclaw-in-process", beside: "langgraph", atLeast: {} },
  { system: "femtoclaw-socket", beside: "restate", atLeast: { 10: 7, 100: 10, 1000: 10 } },
  { system: "femtoclaw-socket", beside: "bullmq", atLeast: { 10: 3, 100: 3, 1000: 2 } },
];

export function ratioRows(rows: readonly LoadRow[]): RatioRow[] {
  return COMPARED.flatMap(({ system, beside, atLeast }) =>
    rows
      .filter((row) => row.system === system)
      .flatMap(({ callers, executions_per_s }) => {
        const other = rows.find((row) => row.system === beside && row.callers === callers);
        if (other === undefined) return [];
        const ratio = rounded(executions_per_s / other.executions_per_s);
        const least = atLeast[callers];
        const aims: Aim<"ratio">[] = least === undefined ? [] : [{ figure: "ratio", atLeast: least }];
        return [{ system, beside, callers, ratio, ...(aims.length === 0 ? {} : { aims: judged(aims, { ratio }) }) }];
      }),
  );
}

/** The steps of one effect at which a system is killed. */
export const STEPS = ["before-intent", "before-effect", "in-effect", "before-outcome", "after-outcome"] as const;
export type Step = (typeof STEPS)[number];

/** Worst first. */
export const VERDICTS = ["lost", "doubled", "unknown", "right"] as const;
export type Verdict = (typeof VERDICTS)[number];

export interface CrashFinding {
  readonly system: SystemName;
  readonly step: Step;
  readonly verdict: Verdict;
}

export interface Life {
  /** How often the effect began, and how often it came to its end. */
  readonly begun: number;
  readonly done: number;
  readonly told: Told;
}

export function verdictOf({ begun, done, told }: Life): Verdict {
  if (begun > 1) return "doubled";
  if (told === "interrupted") return "unknown";
  // Wrong is an effect that is not reported, and a reported one that did not happen.
  return (told === "completed" ? done === 1 : begun === 0) ? "right" : "lost";
}
