/** The bench from end to end, quickly: that it measures, not what. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { COMMAND, Playground } from "./playground.ts";

let place: Playground;
beforeAll(() => {
  place = new Playground();
});
afterAll(() => place[Symbol.asyncDispose]());

interface Report {
  readonly machine: Record<string, unknown>;
  readonly yardstick: Record<string, number>;
  readonly rows: readonly Record<string, unknown>[];
}

async function measured(...args: string[]): Promise<Report> {
  const { code, stdout, stderr } = await place.run(["bench", ...args, "--quick", "--json"]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return JSON.parse(stdout) as Report;
}

/** A program that starts the tested command, in place of an executable, which takes a while to build. */
function inPlaceOfExecutable(): string {
  const path = join(place.root, "femtoclaw");
  const words = COMMAND.map((word) => `'${word}'`).join(" ");
  writeFileSync(path, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  return path;
}

test("`bench journal` crashes a real runtime and measures its history beside the yardstick", async () => {
  const { machine, yardstick, rows } = await measured("journal", "--bin", inPlaceOfExecutable());
  expect(machine).toMatchObject({ cores: expect.any(Number), node: process.version });
  for (const figure of Object.values(yardstick)) expect(figure).toBeGreaterThan(0);
  expect(rows.map(({ measure, unit }) => `${measure} ${unit}`)).toEqual([
    "verify records/s",
    "verify records/s",
    "read alone records/s",
    "recompute events/s",
    "append-tree us/record",
    "proof ms",
    ...["idle ms", "idle-clean ms", "idle-cold ms"],
    ...["idle ms", "idle-clean ms", "idle-cold ms"],
  ]);
  expect(rows.map(({ surface }) => surface ?? "-").slice(6)).toEqual([
    ...["-", "-", "-"],
    ...["executable", "executable", "executable"],
  ]);
  expect(rows.map(({ threads }) => Number(threads) > 0).slice(1)).not.toContain(true);
  const told = rows.map(({ beside, aims }) => [beside, (aims as { aim: string }[] | undefined)?.[0]?.aim]);
  expect(told).toEqual([
    ["read alone", "value >= 300000"],
    ["read alone", undefined],
    [undefined, undefined],
    ["read alone", "value >= 100000"],
    ["grouped put", "value <= 5"],
    [undefined, "value <= 2"],
    ["empty process", undefined],
    ["empty process", undefined],
    ["empty process", undefined],
    ["empty process", "value <= 300"],
    ["empty process", "value <= 100"],
    ["empty process", undefined],
  ]);
  for (const { preset, rounds, records, value, lowest, highest } of rows) {
    expect({ preset, rounds }).toEqual({ preset: "journal", rounds: 1 });
    expect(records).toBeGreaterThan(2_000);
    expect(Number(lowest)).toBeLessThanOrEqual(Number(value));
    expect(Number(value)).toBeLessThanOrEqual(Number(highest));
  }
});

test("`bench verify` runs an auditor's commands, of the sources and of an executable", async () => {
  const { rows } = await measured("verify", "--bin", inPlaceOfExecutable());
  const measures = ["audit verify", "audit verify of an export", "audit prove", "audit check-proof"];
  expect(rows.map(({ measure }) => measure)).toEqual([...measures, ...measures]);
  for (const { value, records } of rows) {
    expect(value).toBeGreaterThan(0);
    expect(records).toBeGreaterThan(2_000);
  }
});

test("`bench sandbox` runs programs in process and by a host of an executable, beside the bare sandbox", async () => {
  const { rows } = await measured("sandbox", "--bin", inPlaceOfExecutable());
  const of = (measure: string) => rows.filter((row) => row["measure"] === measure);
  for (const measure of ["process_exec p50", "process_exec p99"]) {
    const shown = of(measure).map(({ surface = "-", callers, beside, aims }) => [
      surface,
      callers,
      beside,
      aims !== undefined,
    ]);
    const beside = measure.replace("process_exec", "bubblewrap");
    // The aims are those of what people install.
    const each = (callers: number) => [
      ["executable", callers, beside, true],
      ["-", callers, beside, false],
    ];
    expect(shown).toEqual([1, 10, 100].flatMap(each));
  }
  expect(of("fs_read p50").map(({ beside }) => beside)).toEqual(["node readFile between two synced records p50"]);
  for (const { value } of rows) expect(value).toBeGreaterThan(0);
});

test("`bench execution` asks a real host over its socket, beside a runtime in process and the least that could be done", async () => {
  const { rows } = await measured("execution");
  const kinds = rows.map(({ surface, effect, requests, callers }) => `${surface} ${effect} ${requests} ${callers}`);
  for (const callers of [1, 10, 100, 1_000]) {
    for (const kind of ["in-process minimal-loop distinct", "in-process noop repeated", "socket fs_stat distinct"]) {
      expect(kinds).toContain(`${kind} ${callers}`);
    }
  }
  for (const row of rows)
    for (const figure of ["executions_per_s", "p50_ms", "cpu_us"]) expect(row[figure]).toBeGreaterThan(0);
  const judged = rows.filter(({ callers, effect }) => callers === 1 && effect !== "minimal-loop");
  for (const { aims } of judged) expect(aims).toMatchObject([{ aim: expect.stringMatching(/^p50_ms <= /) }]);
});

test("a run is compared with another one, and what is no run is refused before anything is measured", async () => {
  const before = join(place.root, "before.json");
  writeFileSync(before, JSON.stringify(await measured("protocol")));
  const { code, stdout } = await place.run(["bench", "protocol", "--quick", "--compare", before]);
  expect(code).toBe(0);
  expect(stdout).toContain("protocol  a small call");
  expect(stdout).toContain("3 of 3 figures are within noise");
  writeFileSync(before, "{}");
  const refused = await place.run(["bench", "protocol", "--compare", before]);
  expect(refused).toMatchObject({ code: 64, stdout: "" });
  expect(refused.stderr).toContain("cannot be used for the comparison");
});

test("a history belongs to the presets that measure one", async () => {
  const { code, stderr } = await place.run(["bench", "execution", "--records", "5"]);
  expect(code).toBe(64);
  expect(stderr).toContain("measures no history");
  expect((await place.run(["bench", "journal", "--records", "none"])).stderr).toContain("number of records");
});
