/** A long log in pages: what is shown begins with a state, and goes on as if all of it had been read. */
import { join } from "node:path";
import { TilesReader } from "@femtoclaw/journal";
import type { Snapshot, TypedRecord } from "@femtoclaw/protocol";
import { Projection } from "@femtoclaw/runtime";
import { beforeAll, describe, expect, test } from "vitest";
import { MACHINE_NAMES } from "../src/frames.ts";
import { CHARTS } from "../src/generated/charts.ts";
import { History } from "../src/history.ts";
import { type PagedLog, RecordPages } from "../src/record-pages.ts";

const LOG = join(import.meta.dirname, "../../testing/golden/0.3.0/log");
const COUNT = 36_000;
let records: TypedRecord[] = [];
const whole = new History(CHARTS, null);

/** The same refusal again and again, behind what a release wrote. */
beforeAll(async () => {
  await using reader = await TilesReader.open(LOG);
  for await (const record of reader.read(0, reader.size)) records.push(record);
  const at = records.findIndex(({ type }) => type === "execution.refused");
  const refused = records[at];
  if (refused?.type !== "execution.refused") throw new Error("nothing was refused");
  const before = records.slice(0, at);
  records = Array.from({ length: COUNT }, (_, seq) => before[seq] ?? { ...refused, seq, execution: `call-${seq}` });
  for (const record of records) whole.apply(record);
});

function logOf(snapshots: readonly Snapshot[], prunedBefore = 0): PagedLog {
  return {
    size: records.length,
    async *read(from, to) {
      if (from < prunedBefore) throw new Error(`record ${from} was pruned`);
      yield* records.slice(from, to);
    },
    async *readStored(from, to) {
      // Records of an export are in the order in which the journal writes their keys.
      for await (const record of this.read(from, to))
        yield { seq: record.seq, bytes: Buffer.from(JSON.stringify(record)) };
    },
    snapshots: async () => snapshots.map(({ seq }) => seq),
    snapshotAt: async (seq) => snapshots.find((snapshot) => snapshot.seq === seq) ?? null,
    oldestSnapshot: async () => snapshots[0] ?? null,
    prunedBefore: async () => prunedBefore,
  };
}

function snapshotAt(seq: number): Snapshot {
  const fold = new Projection();
  for (const record of records.slice(0, seq + 1)) fold.apply(record);
  return { v: 1, seq, actors: fold.snapshot() };
}

async function shownOf(log: PagedLog): Promise<History> {
  const pages = new RecordPages(log);
  const history = new History(CHARTS, await pages.summary());
  for (;;) {
    const page = await pages.from(history.size);
    expect(page.records.length).toBeLessThanOrEqual(512);
    expect(JSON.stringify(page.records).length).toBeLessThan(2 * 1_048_576);
    for (const record of page.records) history.apply(record);
    if (page.records.length === 0) return history;
  }
}

describe("a log that is longer than what is shown", () => {
  test.each([
    ["no snapshot", [], 0],
    ["a snapshot at the right place", [2_000], 0],
    ["the newest snapshot alone, as an export has it", [35_000], 0],
    ["its first records gone", [1_500, 20_000], 1_024],
  ] as const)("ends in the same state with %s", async (_, seqs, prunedBefore) => {
    const shown = await shownOf(logOf(seqs.map(snapshotAt), prunedBefore));
    expect(shown.start).toBeGreaterThan(0);
    expect(shown.size).toBe(records.length);
    expect(shown.records.length).toBeGreaterThanOrEqual(32_768 - 1);
    const last = records.length - 1;
    for (const name of MACHINE_NAMES) {
      expect(shown.machineAt(name, last).value).toBe(whole.machineAt(name, last).value);
    }
    const { refused = 0 } = shown.before;
    expect(shown.countsAt(last).denied + refused).toBe(whole.countsAt(last).denied);
  });
});

test("a short log is shown whole", async () => {
  const log = { ...logOf([]), size: 100 };
  expect(await new RecordPages(log).summary()).toBeNull();
  expect((await new RecordPages(log).from(99)).records.map(({ seq }) => seq)).toEqual([99]);
  expect((await new RecordPages(log).from(5_000)).records).toEqual([]);
});
