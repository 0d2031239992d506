/** What a reader refuses of a store that lacks records, or holds them in other places. */
import type { Snapshot } from "@femtoclaw/protocol";
import { type MemoryDisk, MemoryStore } from "@femtoclaw/testing/in-memory";
import { expect, it } from "vitest";
import { StoreReader } from "../src/index.ts";
import { PRUNED, snapshotName } from "../src/records/object-name.ts";
import { collect, message } from "./journal-fixture.ts";
import { Machine } from "./machine.ts";

/** Six records, and behind them two snapshots with a record of their own each. */
async function stored(): Promise<MemoryDisk> {
  const machine = new Machine();
  const { journal } = await machine.boot();
  for (const content of ["a", "b", "c", "d", "e"]) await journal.append(message(content));
  await journal.snapshot();
  await journal.snapshot();
  await journal.close();
  return machine.disk;
}

async function readerOf(disk: MemoryDisk): Promise<StoreReader> {
  const store = new MemoryStore(disk);
  const { size } = await store.open();
  return new StoreReader(store, size);
}

const missing = (seq: number) => ({ code: "FEMTO_JOURNAL_CORRUPT", message: `record ${seq} is missing` });

it("gives out nothing behind a record that is missing, in either direction", async () => {
  for (const [gone, before, behind] of [
    [0, [], [5, 4, 3, 2, 1]],
    [2, [0, 1], [5, 4, 3]],
    [5, [0, 1, 2, 3, 4], []],
  ] as const) {
    const disk = await stored();
    disk.removed.add(gone);
    const reader = await readerOf(disk);
    for (const [read, expected] of [
      [reader.read(0, 6), before],
      [reader.readBackwards(0, 6), behind],
    ] as const) {
      const seqs: number[] = [];
      const reading = async () => {
        for await (const { seq } of read) seqs.push(seq);
      };
      await expect(reading()).rejects.toMatchObject(missing(gone));
      expect(seqs).toEqual(expected);
    }
  }
});

it("takes no record for one of another number", async () => {
  const disk = await stored();
  disk.records.splice(2, 1, disk.records[3] ?? Buffer.of());
  const reader = await readerOf(disk);
  const refused = { code: "FEMTO_JOURNAL_CORRUPT", message: "record 2 calls itself 3" };
  await expect(collect(reader.read(2, 3))).rejects.toMatchObject(refused);
  await expect(collect(reader.readBackwards(2, 3))).rejects.toMatchObject(refused);
});

it("finds the newest snapshot below a size", async () => {
  const reader = await readerOf(await stored());
  expect(await reader.snapshots()).toEqual([5, 6]);
  expect((await reader.latestSnapshot())?.seq).toBe(6);
  // The record that vouches for the newer one is the eighth.
  expect((await reader.latestSnapshot(7))?.seq).toBe(5);
  expect(await reader.latestSnapshot(6)).toBeNull();
});

it.each([
  ["of other records", (snapshot: Snapshot): Snapshot => ({ ...snapshot, seq: 4 })],
  ["without an actor", (snapshot: Snapshot): Snapshot => ({ ...snapshot, actors: {} })],
  [
    "with one more actor",
    (snapshot: Snapshot): Snapshot => {
      const { memory } = snapshot.actors;
      return memory === undefined ? snapshot : { ...snapshot, actors: { memory, planner: memory } };
    },
  ],
])("passes over a snapshot %s than its record names", async (_what, forge) => {
  const disk = await stored();
  const snapshot = JSON.parse(Buffer.from(disk.objects.get(snapshotName(6)) ?? []).toString()) as Snapshot;
  disk.objects.set(snapshotName(6), Buffer.from(JSON.stringify(forge(snapshot))));
  const reader = await readerOf(disk);
  expect(await reader.latestSnapshot()).toEqual(await reader.snapshotAt(5));
});

it("does not guess how far a log was pruned", async () => {
  for (const text of ["x", "-1", "1.5", "9007199254740993"]) {
    const disk = await stored();
    disk.objects.set(PRUNED, Buffer.from(text));
    await expect((await readerOf(disk)).prunedBefore(), text).rejects.toMatchObject({ code: "FEMTO_JOURNAL_CORRUPT" });
  }
});
