/** When a figure has changed, and when that is noise. */
import { describe, expect, it } from "vitest";
import { type BenchReport, compareReports, type MeasureRow, readReport } from "../src/index.ts";

const row = (value: number, spread: number, more: Partial<MeasureRow> = {}): MeasureRow => ({
  preset: "policy",
  measure: "cold",
  unit: "us",
  rules: 56,
  cpu_us: null,
  rounds: 3,
  value,
  lowest: value * (1 - spread / 2),
  highest: value * (1 + spread / 2),
  ...more,
});

const report = (rows: BenchReport["rows"], more: Partial<BenchReport> = {}): BenchReport => ({
  machine: { cpu: "some", cores: 2, memory_gib: 24, system: "linux", node: "v26" },
  version: "0.5.0",
  commit: null,
  quick: false,
  rows,
  yardstick: { sync_put_per_s: 4_000, grouped_put_per_s: 100_000, node_e0_ms: 25 },
  ...more,
});

const verdicts = (before: MeasureRow, after: MeasureRow): string[] =>
  compareReports(report([before]), report([after])).changes.map(({ verdict }) => verdict);

describe("a figure", () => {
  it("is worse or better where its rounds lie apart, by what its unit means", () => {
    expect(verdicts(row(100, 0.1), row(150, 0.1))).toEqual(["worse"]);
    expect(verdicts(row(150, 0.1), row(100, 0.1))).toEqual(["better"]);
    const perSecond = { unit: "records/s" } as const;
    expect(verdicts(row(100, 0.1, perSecond), row(150, 0.1, perSecond))).toEqual(["better"]);
  });

  it("is noise where the rounds of one run reach those of the other, however far the medians are apart", () => {
    expect(verdicts(row(100, 0.9), row(150, 0.1))).toEqual(["noise"]);
    expect(verdicts(row(100, 0.01), row(109, 0.01))).toEqual(["noise"]);
  });

  it("of a single round tells nothing, because nobody knows its spread", () => {
    expect(verdicts(row(100, 0, { rounds: 1 }), row(900, 0, { rounds: 1 }))).toEqual(["noise"]);
  });

  it("is compared with the one that was measured under the same circumstances alone", () => {
    const compared = compareReports(report([row(100, 0.1)]), report([row(500, 0.1, { rules: 506 })]));
    expect(compared).toMatchObject({ changes: [], unmatched: 2 });
    // A history ends up a little larger than it was asked for.
    const [old, now] = [row(1, 0, { records: 100_080 }), row(1, 0, { records: 100_412 })];
    expect(compareReports(report([old]), report([now])).changes).toHaveLength(1);
  });

  it("that counts what crashes left is none of speed", () => {
    const kills = (value: number) => row(value, 0, { unit: "kills" });
    expect(compareReports(report([kills(0)]), report([kills(1)]))).toMatchObject({ changes: [], unmatched: 0 });
  });
});

describe("two runs", () => {
  it("say little about the software where the yardstick says that the machine was busy", () => {
    const slow = { sync_put_per_s: 2_000, grouped_put_per_s: 50_000, node_e0_ms: 60 };
    expect(compareReports(report([]), report([])).comparable).toBe(true);
    expect(compareReports(report([]), report([], { yardstick: slow }))).toMatchObject({
      comparable: false,
      yardstick: { sync_put_per_s: 0.5, grouped_put_per_s: 0.5, node_e0_ms: 2.4 },
    });
    expect(compareReports(report([]), report([], { quick: true })).comparable).toBe(false);
  });

  it("are read from what the bench printed, and from nothing else", () => {
    const { version: _, commit: __, quick: ___, ...ofAnOlderVersion } = report([row(1, 0)]);
    expect(readReport(JSON.stringify(ofAnOlderVersion))).toMatchObject({ version: "unknown", rows: [{ value: 1 }] });
    for (const text of ["null", "[]", "{}", '{"rows":[]}', "7"]) expect(() => readReport(text), text).toThrow("bench");
    expect(() => readReport("not JSON")).toThrow();
  });
});
