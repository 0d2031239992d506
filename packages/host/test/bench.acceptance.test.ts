/** The bench from end to end with few records: that it measures, not what. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Playground } from "./playground.ts";

let place: Playground;
beforeAll(() => {
  place = new Playground();
});
afterAll(() => place[Symbol.asyncDispose]());

test("`bench journal` crashes a real runtime and measures its history beside the yardstick", async () => {
  const { code, stdout, stderr } = await place.run(["bench", "journal", "--records", "2000", "--json"]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const { machine, yardstick, rows } = JSON.parse(stdout) as {
    machine: Record<string, unknown>;
    yardstick: Record<string, number>;
    rows: Record<string, unknown>[];
  };
  expect(machine).toMatchObject({ cores: expect.any(Number), node: process.version });
  for (const figure of Object.values(yardstick)) expect(figure).toBeGreaterThan(0);
  expect(rows.map(({ measure, unit }) => `${measure} ${unit}`)).toEqual([
    "verify records/s",
    "verify records/s",
    "recompute events/s",
    "append-tree us/record",
    "proof ms",
    "idle ms",
    "idle-clean ms",
    "idle-cold ms",
  ]);
  expect(rows.map(({ threads }) => Number(threads) > 0).slice(1)).not.toContain(true);
  for (const { preset, rounds, records, value, lowest, highest } of rows) {
    expect({ preset, rounds }).toEqual({ preset: "journal", rounds: 3 });
    expect(records).toBeGreaterThan(2_000);
    expect(Number(lowest)).toBeLessThanOrEqual(Number(value));
    expect(Number(value)).toBeLessThanOrEqual(Number(highest));
  }
});

test("`bench policy` measures decisions beside the yardstick", async () => {
  const { code, stdout, stderr } = await place.run(["bench", "policy", "--json"]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const { rows } = JSON.parse(stdout) as { rows: Record<string, unknown>[] };
  expect(rows.map(({ measure, unit }) => `${measure} ${unit}`)).toEqual([
    "cold us",
    "cached us",
    "cold us",
    "cached us",
    "redecide calls/s",
    "cold us",
    "cached us",
    "load ms",
    "project ms",
  ]);
  for (const { preset, rounds, rules, value, lowest, highest } of rows) {
    expect({ preset, rounds }).toEqual({ preset: "policy", rounds: 5 });
    expect(rules).toBeGreaterThan(5);
    expect(Number(lowest)).toBeLessThanOrEqual(Number(value));
    expect(Number(value)).toBeLessThanOrEqual(Number(highest));
  }
});

test("a history belongs to the preset that measures one", async () => {
  const { code, stderr } = await place.run(["bench", "execution", "--records", "5"]);
  expect(code).toBe(64);
  expect(stderr).toContain("measures no history");
  expect((await place.run(["bench", "journal", "--records", "none"])).stderr).toContain("number of records");
});
