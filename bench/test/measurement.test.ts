/** What becomes of the samples of several rounds, and of the aims of a figure. */
import { describe, expect, it } from "vitest";
import { judged } from "../src/aim.ts";
import { loadFor, loadOf } from "../src/load.ts";
import { Measurement } from "../src/measurement.ts";

const measured = (measure: string, ...values: number[]): Measurement => {
  const measurement = new Measurement({ preset: "policy", measure, unit: "us" });
  for (const value of values) measurement.addValue(value);
  return measurement;
};

describe("a row", () => {
  it("has the median, the spread, what it is told beside, and whether its aims hold", () => {
    const aims = [
      { figure: "value", atMost: 30 },
      { figure: "ratio", atMost: 1.5 },
      { figure: "cpu_us", atMost: 1 },
    ] as const;
    expect(measured("cold", 30, 10, 20).row({ beside: measured("bare", 10, 10, 10), aims })).toEqual({
      preset: "policy",
      measure: "cold",
      unit: "us",
      value: 20,
      lowest: 10,
      highest: 30,
      cpu_us: null,
      rounds: 3,
      beside: "bare",
      beside_value: 10,
      ratio: 2,
      aims: [
        { aim: "value <= 30", holds: true },
        { aim: "ratio <= 1.5", holds: false },
        // What nobody could measure was not reached.
        { aim: "cpu_us <= 1", holds: false },
      ],
    });
  });
});

describe("an aim", () => {
  it("is missed by what is no number", () => {
    const aims = [
      { figure: "value", atMost: 1 },
      { figure: "value", atLeast: 1 },
    ] as const;
    expect(judged(aims, { value: Number.NaN }).map(({ holds }) => holds)).toEqual([false, false]);
    expect(judged(aims, { value: 1 }).map(({ holds }) => holds)).toEqual([true, true]);
  });
});

describe("a load", () => {
  it("has as many calls under way as it has callers, and times each", async () => {
    let [underWay, most] = [0, 0];
    const call = async (): Promise<void> => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise(setImmediate);
      underWay -= 1;
    };
    expect((await loadOf(7, 40, call)).latencies).toHaveLength(40);
    expect(most).toBe(7);
    // However short it is, each caller calls once.
    expect((await loadFor(3, 0, () => 0, call)).latencies).toHaveLength(3);
  });
});
