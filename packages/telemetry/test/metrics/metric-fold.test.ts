/** Metrics are what the records come to: in one go or in many, and by nothing that a client, a file or a clock says. */
import { ERRORS, type TypedRecord } from "@femtoclaw/protocol";
import { beforeAll, describe, expect, test } from "vitest";
import { readerOf, recordHistory } from "../../../runtime/test/projection/recorded-history.ts";
import { readBatch } from "../../src/batch.ts";
import { logFacts } from "../../src/log-facts.ts";
import { FOLDED, type FoldedMetric } from "../../src/metrics/catalogue.ts";
import { MetricFold, parseState } from "../../src/metrics/metric-fold.ts";
import { spanFacts } from "../../src/span-facts.ts";

let records: readonly TypedRecord[];
beforeAll(async () => {
  records = (await recordHistory()).records;
});

const folded = (story: readonly TypedRecord[]): MetricFold => {
  const fold = new MetricFold();
  for (const record of story) expect(fold.take(record)).toBe(true);
  return fold;
};

const total = (fold: MetricFold, metric: FoldedMetric, ...labels: (string | null)[]): number =>
  fold
    .counter(metric)
    .filter((point) => labels.every((label, index) => label === null || point.labels[index] === label))
    .reduce((sum, { value }) => sum + value, 0);

const count = (matches: (record: TypedRecord) => boolean): number => records.filter(matches).length;

describe("a fold", () => {
  test("counts what the records say", () => {
    const fold = folded(records);
    const done = count((record) => record.type === "execution.outcome" && record.body.error === undefined);
    const failed = count((record) => record.type === "execution.outcome" && record.body.error !== undefined);
    expect(done * failed).toBeGreaterThan(0);
    expect(total(fold, "executions", null, "completed")).toBe(done);
    expect(total(fold, "failures")).toBe(failed);
    expect(total(fold, "executions", null, "interrupted")).toBe(count(({ type }) => type === "execution.interrupted"));
    expect(total(fold, "executions", null, "denied") + total(fold, "executions", null, "error", "none")).toBe(
      count(({ type }) => type === "execution.refused"),
    );
    expect(total(fold, "records")).toBe(records.length);
    expect(total(fold, "boots", "crash")).toBe(1);
    expect(total(fold, "degradations")).toBe(1);
    expect(total(fold, "unrecorded")).toBeGreaterThan(0);
    const durations = fold.histogram("toolDuration").reduce((sum, { value }) => sum + value.count, 0);
    expect(durations).toBe(done + failed);
  });

  test("is the same in one go and in pieces that were written down in between", () => {
    const whole = folded(records).state;
    let fold = new MetricFold();
    for (const record of records) {
      fold.take(record);
      if (record.seq % 7 !== 0) continue;
      const written = parseState(JSON.parse(JSON.stringify(fold.state)));
      expect(written).not.toBeNull();
      if (written !== null) fold = MetricFold.from(written);
    }
    expect(fold.state).toEqual(whole);
  });

  test("takes each record once and in its order", () => {
    const fold = folded(records.slice(0, 20));
    const before = fold.state;
    for (const record of [...records.slice(0, 20), ...records.slice(21)]) expect(fold.take(record)).toBe(false);
    expect(fold.state).toEqual(before);
  });

  test("has no label but from closed sets and the names of registered capabilities", () => {
    const fold = folded(records);
    const registered = records.flatMap((record) =>
      record.type === "registry.loaded" ? record.body.capabilities.map(({ name }) => name) : [],
    );
    const closed = new Set([
      ...registered,
      ...["other", "none", "clean", "crash", "completed", "denied", "error", "interrupted", "AUTHORIZED"],
      ...["DENIED_CAPABILITY_NOT_FOUND", "DENIED_CAPABILITY_DISABLED", "DENIED_ARGUMENT_INVALID"],
      ...["DENIED_POLICY_VIOLATION", "library", "agent", "operator", "floor", "allow", "deny", "ask", "tools"],
      ...Object.keys(ERRORS),
      ...new Set(records.map(({ type }) => type)),
    ]);
    for (const metric of Object.keys(FOLDED) as FoldedMetric[]) {
      for (const { labels } of [...fold.counter(metric), ...fold.histogram(metric)]) {
        expect(labels).toHaveLength(FOLDED[metric].labels.length);
        expect(labels.filter((label) => !closed.has(label))).toEqual([]);
      }
    }
  });

  test("does not care what the wall clock says", () => {
    const jumping = records.map((record, index) => ({
      ...record,
      at: index % 2 === 0 ? "1970-01-01T00:00:00.000000Z" : "2999-12-31T23:59:59.999999Z",
    }));
    const { startUs, ...rest } = folded(jumping).state;
    expect(rest).toEqual({ ...folded(records).state, startUs: undefined });
    expect(startUs).toBe(0);
  });

  test.each([
    ["no object", null],
    ["a list", []],
    ["a number that is none", { next: -1 }],
    ["a fraction", { next: 0.5 }],
  ])("is not begun with %s", (_, damage) => {
    const state = folded(records.slice(0, 30)).state;
    const value = Array.isArray(damage) || damage === null ? damage : { ...state, ...damage };
    expect(parseState(value)).toBeNull();
  });

  test("is not begun with counters of other names, other labels or other buckets", () => {
    const { state } = folded(records);
    const [counter] = state.counters;
    const [histogram] = state.histograms.filter(([, points]) => points.length > 0);
    const bad = [
      { ...state, counters: [["__proto__", []]] },
      { ...state, counters: [["toolDuration", []]] },
      { ...state, counters: [[counter?.[0], [{ labels: ["a", "b", "c", "d"], value: 1 }]]] },
      { ...state, counters: [[counter?.[0], [{ labels: ["a"], value: "1" }]]] },
      {
        ...state,
        histograms: [[histogram?.[0], [{ labels: ["a", "b"], value: { buckets: [1], count: 1, sumUs: 1 } }]]],
      },
    ];
    expect(bad.map(parseState)).toEqual([null, null, null, null, null]);
  });
});

describe("an upgrade", () => {
  /** The same history, of which the last boot is of another version. */
  const upgraded = (): readonly TypedRecord[] => {
    const last = records.findLast(({ type }) => type === "boot.started");
    return records.map((record) =>
      record === last && record.type === "boot.started"
        ? { ...record, body: { ...record.body, version: "99.0.0" } }
        : record,
    );
  };

  test("is counted, and told as a line and on the span of the boot", async () => {
    const story = upgraded();
    expect(total(folded(story), "upgrades")).toBe(1);
    expect(total(folded(records), "upgrades")).toBe(0);
    const reader = readerOf({ records: story, snapshots: [] });
    const boots = story.filter(({ type }) => type === "boot.started").map(({ seq }) => seq);
    // By a cursor that knows the version, and by one that was written before cursors did.
    for (const version of ["0.0.1", null]) {
      const { records: batch, before } = await readBatch(reader, { next: boots.at(-1) ?? 0, version });
      const [boot] = batch;
      if (boot === undefined) throw new Error("there is no boot");
      const attributes = { "femtoclaw.version": "99.0.0", "femtoclaw.version.before": version ?? expect.any(String) };
      expect(spanFacts(boot, before)).toMatchObject({ name: "femtoclaw.boot", attributes });
      expect(logFacts(boot, before)).toMatchObject({ event: "femtoclaw.upgraded", severity: "INFO", attributes });
    }
  });

  test("is not what a restart is", async () => {
    const reader = readerOf({ records, snapshots: [] });
    const lines = [];
    for (let next = 0, version: string | null = null; next < records.length; ) {
      const batch = await readBatch(reader, { next, version });
      lines.push(...batch.records.flatMap((record) => logFacts(record, batch.before) ?? []));
      ({ next, version } = batch.after);
    }
    const boots = lines.filter(({ text }) => text.startsWith("a host begins"));
    expect(boots.map(({ event, severity }) => `${event} ${severity}`)).toEqual([
      "femtoclaw.started INFO",
      "femtoclaw.restarted WARN",
      "femtoclaw.restarted INFO",
    ]);
    const events = new Set(lines.map(({ event }) => event));
    for (const event of ["femtoclaw.ready", "femtoclaw.shutdown", "femtoclaw.execution.refused"]) {
      expect(events).toContain(event);
    }
    expect([...events].filter((event) => event.includes("observability"))).toEqual([]);
  });
});
