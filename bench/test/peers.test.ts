/** What becomes of rounds beside peers: rows, multiples, what a crash left, and the tables of the documents. */
import { describe, expect, it } from "vitest";
import { type CrashFinding, type LoadRound, loadRows, ratioRows, STEPS, verdictOf } from "../peers/src/figures.ts";
import { crashLines, type LoadReport, loadLines } from "../peers/src/report.ts";
import type { SystemName } from "../peers/src/systems.ts";

const round = (system: SystemName, perSecond: number, callers = 10): LoadRound => ({
  system,
  callers,
  perSecond,
  p50Ms: 10_000 / perSecond,
  p99Ms: 40_000 / perSecond,
  cpuUs: 100,
});
const run = {
  machine: { cpu: "some", cores: 2, memory_gib: 24, system: "linux", node: "v26" },
  version: "0.6.0",
  commit: "abc",
  quick: false,
};
const yardstick = (sync_put_per_s: number) => ({ sync_put_per_s, grouped_put_per_s: 100_000, node_e0_ms: 25 });
const report = (rounds: readonly LoadRound[], missing: LoadReport["missing"] = []): LoadReport => {
  const rows = loadRows(["femtoclaw-in-process", "dbos"], rounds);
  return { ...run, yardsticks: [4_000, 4_200, 3_900].map(yardstick), rows, ratios: ratioRows(rows), missing };
};

describe("rounds of a load", () => {
  // The second round comes in reverse order.
  const rounds = [
    ...[round("femtoclaw-in-process", 9_000), round("dbos", 850), round("dbos", 900)],
    ...[round("femtoclaw-in-process", 8_000), round("femtoclaw-in-process", 9_500), round("dbos", 1_000)],
  ];

  it("become rows of medians and spreads, in the order of the systems", () => {
    const [own, other] = loadRows(["femtoclaw-in-process", "dbos"], rounds);
    expect(own).toMatchObject({ executions_per_s: 9_000, lowest: 8_000, highest: 9_500, p50_ms: 1.11, rounds: 3 });
    expect(other).toMatchObject({ system: "dbos", executions_per_s: 900, lowest: 850, highest: 1_000 });
  });

  it("tell multiples with as many callers alone, and whether they are what is aimed at", () => {
    const rows = loadRows(["femtoclaw-in-process", "dbos"], [...rounds, round("femtoclaw-in-process", 500, 1)]);
    expect(ratioRows(rows)).toEqual([
      {
        system: "femtoclaw-in-process",
        beside: "dbos",
        callers: 10,
        ratio: 10,
        aims: [{ aim: "ratio >= 10", holds: true }],
      },
    ]);
  });

  it("are a table with the yardstick of the same run", () => {
    const lines = loadLines(report(rounds));
    expect(lines).toContain(
      "Yardstick: 4,000 single sync puts/s (3,900 to 4,200), 100,000 grouped puts/s, empty process 25 ms.",
    );
    expect(lines).toContain("| FemtoClaw in process | 10 | 9,000 | 8,000 | 9,500 | 1.11 | 4.44 | 100 |");
    expect(lines).toContain("| FemtoClaw in process | DBOS + PostgreSQL | 10×, ≥ 10 met |");
  });

  it("that could not be had are told with their reason, and with no figure", () => {
    const lines = loadLines(report([], [{ system: "dbos", why: "no\nserver | here" }]));
    expect(lines).toContain("| DBOS + PostgreSQL | not measured: no server / here |  |  |  |  |  |  |");
    expect(lines.join()).not.toMatch(/NaN|Infinity|undefined/);
  });
});

describe("a system that was killed", () => {
  it.each([
    ["right", { begun: 1, done: 1, told: "completed" }],
    ["right", { begun: 0, done: 0, told: "nothing" }],
    ["doubled", { begun: 2, done: 2, told: "completed" }],
    ["doubled", { begun: 2, done: 1, told: "interrupted" }],
    ["unknown", { begun: 1, done: 0, told: "interrupted" }],
    ["lost", { begun: 1, done: 1, told: "nothing" }],
    ["lost", { begun: 1, done: 0, told: "completed" }],
    ["lost", { begun: 0, done: 0, told: "completed" }],
  ] as const)("is %s after %o", (verdict, life) => {
    expect(verdictOf(life)).toBe(verdict);
  });

  it("has a word for each step, and counts where rounds differ", () => {
    const system = "femtoclaw-socket";
    const findings: CrashFinding[] = STEPS.map((step) => ({ system, step, verdict: "right" }));
    findings.push({ system, step: "in-effect", verdict: "unknown" });
    const lines = crashLines({ ...run, systems: [system], findings, missing: [] });
    expect(lines.at(-1)).toBe("| FemtoClaw over its socket | right | right | unknown 1×, right 1× | right | right |");
  });
});
