/** A pruned log: what is left opens, goes on, proves itself, and says what is gone; a crash leaves old or new. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LIMITS, type RecordActor } from "@femtoclaw/protocol";
import { MemoryDisk, MemoryStore } from "@femtoclaw/testing/in-memory";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import {
  checkJournal,
  checkProof,
  exportJsonl,
  exportTiles,
  Journal,
  type LogVerdict,
  planPruning,
  prove,
  proveContinuation,
  StoreSource,
  TilesSource,
  verifyLog,
} from "../src/index.ts";
import { followLog } from "../src/known-log/known-log.ts";
import { BLOBS, blobName, PRUNED, SNAPSHOTS, snapshotName, tileName } from "../src/records/object-name.ts";
import { removalOf } from "../src/retention/pruning.ts";
import { collect, countingClock, MACHINES, message } from "./journal-fixture.ts";
import { Machine } from "./machine.ts";

const OPERATOR: RecordActor = { principal: "uid:0", agent: null, channel: "operator", delegation: null };
const LARGE = "value ".repeat(LIMITS.recordedValueChars);

let log: Machine;
let journal: Journal;
let store: MemoryStore;
/** Bytes of every record before anything was pruned. */
let copy: Uint8Array[];
let rotation: number;

beforeEach(async () => {
  log = new Machine();
  ({ journal, store } = await log.boot());
  const fill = (count: number) =>
    Promise.all(Array.from({ length: count }, (_, index) => journal.append(message(`m${index}`, `e${index % 7}`))));
  await fill(100);
  await journal.append(message(LARGE, "large"));
  await journal.snapshot();
  await journal.rotateKey();
  rotation = (await journal.rotations())[0] ?? 0;
  await fill(600);
  await journal.append(message(LARGE, "large"));
  await fill(60);
  await journal.checkpoint();
  copy = [...log.disk.records];
});

const prune = async (requested: number) => journal.prune(await planPruning(journal, requested), OPERATOR);

function diskNow(): MemoryDisk {
  const disk = new MemoryDisk();
  disk.records.push(...log.disk.records);
  for (const seq of log.disk.removed) disk.removed.add(seq);
  for (const [name, seqs] of log.disk.index) disk.index.set(name, seqs);
  for (const [name, bytes] of log.disk.objects) disk.objects.set(name, bytes);
  return disk;
}

async function verdictOn(disk: MemoryDisk): Promise<LogVerdict> {
  const store = new MemoryStore(disk);
  const { size } = await store.open();
  return await verifyLog({ source: new StoreSource(store, size) });
}

describe("a pruned journal", () => {
  it("drops records, values, snapshots and index entries below a multiple of 256, and keeps the keys' records", async () => {
    const { record, seq } = await prune(700);
    expect(record).toMatchObject({ type: "log.pruned", actor: OPERATOR, body: { before: 512, records: 510 } });
    const stored: number[] = [];
    for (const [at] of log.disk.records.entries()) if (!log.disk.removed.has(at)) stored.push(at);
    expect(stored.slice(0, 3)).toEqual([0, rotation, 512]);
    expect([...log.disk.objects.keys()].filter((name) => name.startsWith(BLOBS))).toEqual([blobName(704, 0)]);
    const snapshots = [...log.disk.objects.keys()].filter((name) => name.startsWith(SNAPSHOTS));
    expect(snapshots).toHaveLength(1);
    expect(await journal.prunedBefore()).toBe(512);
    for (const at of await journal.locate("e3")) expect(at).toBeGreaterThanOrEqual(512);
    expect(seq).toBe(journal.size - 1);
  });

  it("says of a record that it was pruned, and reads the rest in both directions", async () => {
    await prune(700);
    const pruned = expect.objectContaining({ code: "FEMTO_JOURNAL_PRUNED" });
    await expect(collect(journal.read(5, 6))).rejects.toEqual(pruned);
    await expect(collect(journal.readFrom(0))).rejects.toEqual(pruned);
    await expect(collect(journal.readBackwards(500, journal.size))).rejects.toEqual(pruned);
    expect((await collect(journal.readFrom(512))).length).toBe(journal.size - 512);
    expect((await collect(journal.read(0, 1)))[0]?.type).toBe("log.created");
    expect((await checkJournal(journal)).fault).toBeNull();
  });

  it("keeps every snapshot, value and key of a record at or above the boundary", async () => {
    await journal.rotateKey();
    const plan = await planPruning(journal, 700);
    expect(plan.keep).toEqual([0, rotation]);
    const blobs = [511, 512].map((seq) => blobName(seq, 0));
    const reader = {
      prunedBefore: async () => 0,
      snapshots: async () => [510, 511, 600],
      latestSnapshot: async () => ({ v: 1, seq: 600, actors: {} }) as const,
      checkpoints: async () => [700],
    };
    const { removal } = await removalOf(reader, { objects: async () => blobs }, plan, OPERATOR);
    expect(removal.objects).toEqual([snapshotName(510), blobName(511, 0)]);
  });

  // INVARIANT of a pruning: what a start needs stays.
  it("is left alone as long as no snapshot and no checkpoint stand above the boundary", async () => {
    const plan = await planPruning(journal, 700);
    const planned = (covered: number | null, signed: number) =>
      removalOf(
        {
          prunedBefore: async () => 0,
          snapshots: async () => [],
          latestSnapshot: async () => (covered === null ? null : { v: 1, seq: covered, actors: {} }),
          checkpoints: async () => [100, signed],
        },
        { objects: async () => [] },
        plan,
        OPERATOR,
      );
    const refused = { code: "FEMTO_PRUNE_REFUSED" };
    await expect(planned(null, 700)).rejects.toMatchObject(refused);
    await expect(planned(510, 700)).rejects.toMatchObject(refused);
    await expect(planned(600, 511)).rejects.toMatchObject(refused);
    expect((await planned(511, 512)).removal.records).toEqual({ before: 512, keep: [0, rotation] });
  });

  it("is purged before anyone hears that it was pruned, or that a value was erased", async () => {
    const purge = vi.spyOn(store, "purge");
    const heard: string[] = [];
    const purged = Promise.withResolvers<void>();
    purge.mockImplementation(() => purged.promise);
    const done = [
      journal.erase({ seq: 101, reason: "ticket 12", actor: OPERATOR }).then(() => heard.push("erased")),
      prune(700).then(() => heard.push("pruned")),
    ];
    await expect.poll(() => purge.mock.calls.length).toBe(1);
    await journal.append(message("meanwhile"));
    expect(heard).toEqual([]);
    purged.resolve();
    await Promise.all(done);
    expect(heard).toEqual(["erased", "pruned"]);
    expect(purge).toHaveBeenCalledTimes(2);
  });

  it("opens again, goes on, and can be pruned further but not back", async () => {
    await prune(300);
    await journal.close();
    ({ journal } = await log.boot());
    expect((await journal.latestSnapshot())?.seq).toBe((await journal.oldestSnapshot())?.seq);
    await journal.append(message("after"));
    await expect(planPruning(journal, 400)).rejects.toMatchObject({ code: "FEMTO_PRUNE_REFUSED" });
    const { record } = await prune(1_000_000);
    expect(record).toMatchObject({ body: { before: 768, records: 512 } });
    await journal.rotateKey();
    await journal.close();
    expect(await verdictOn(diskNow())).toMatchObject({ verdict: "incomplete", unsignedTail: 0, fault: { seq: 1 } });
  });

  it("is incomplete to a verifier, who proves the rest and every hash of what is gone", async () => {
    await prune(700);
    await journal.close();
    const found = await verdictOn(diskNow());
    expect(found).toMatchObject({ verdict: "incomplete", size: log.disk.records.length, unsignedTail: 0 });
    expect(found.fault?.reason).toContain("history pruned: records below 512");
    expect(found.keys).toHaveLength(2);
  });

  it("proves a record that is gone to whoever kept a copy of it", async () => {
    await prune(700);
    await journal.checkpoint();
    const proof = await prove(journal, 42);
    const vkey = (await verdictOn(diskNow())).keys.at(-1)?.vkey ?? "";
    const recordBytes = copy[42] ?? new Uint8Array();
    expect(checkProof({ proof, recordBytes, vkey })).toMatchObject({ ok: true, index: 42 });
    expect(checkProof({ proof, recordBytes: copy[43] ?? new Uint8Array(), vkey })).toMatchObject({ ok: false });
  });

  it("is exported as what it is, and the export verifies as that", async () => {
    await prune(700);
    await journal.checkpoint();
    const folder = mkdtempSync(join(tmpdir(), "femtoclaw-pruned-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const out = join(folder, "log");
    await exportTiles(journal, out);
    await exportJsonl(journal, join(folder, "lines"));
    const verified = () => verifyLog({ source: new TilesSource(out) });
    expect(await verified()).toMatchObject({ verdict: "incomplete", size: journal.size, prunedBefore: 512 });
    expect(await verifyLog({ source: new TilesSource(out), threads: 2 })).toEqual(await verified());
    // Of an export that ends below the record of the pruning nobody could tell who let the records go.
    const earlier = join(folder, "earlier");
    await exportTiles(journal, earlier, 600);
    expect(await verifyLog({ source: new TilesSource(earlier) })).toMatchObject({ prunedBefore: 512 });
    for (const [claim, verdict] of [
      ["256", "incomplete"],
      ["768", "tampered"],
      ["7", "tampered"],
      ["x", "tampered"],
    ]) {
      writeFileSync(join(out, "pruned"), claim ?? "");
      expect((await verified()).verdict).toBe(verdict);
    }
  });
});

describe("whoever has seen a log that was pruned since", () => {
  it("is proved that it goes on, over the change of its key, and so is whoever never saw it", async () => {
    const seen = copy.length;
    const before = followLog(null, await proveContinuation(journal, null));
    await prune(700);
    await journal.append(message("after"));
    await journal.checkpoint();
    expect(before).toMatchObject({ ok: true, complete: true });
    const known = before.ok ? before.known : null;
    expect(followLog(known, await proveContinuation(journal, seen))).toMatchObject({ ok: true, complete: true });
    const anew = followLog(null, await proveContinuation(journal, null));
    expect(anew).toMatchObject({ ok: true, complete: true, known: { firstKey: known?.firstKey } });
  });

  it("starts it only when the boot that it knows of let its own first record go", async () => {
    await prune(700);
    await journal.close();
    const open = (boot: string) =>
      Journal.open({
        store: new MemoryStore(diskNow()),
        keyring: log.keyring,
        boot: "boot-2",
        clock: countingClock(),
        machines: MACHINES,
        known: { boot, seq: 5 },
      });
    await (await open("boot-1")).close();
    await expect(open("boot-0")).rejects.toMatchObject({ code: "FEMTO_STATE_ROLLED_BACK" });
  });
});

describe("a log is tampered with", () => {
  const remove = (disk: MemoryDisk, from: number, to: number): void => {
    for (let seq = from; seq < to; seq += 1) if (seq !== rotation) disk.removed.add(seq);
  };
  const attacks: Readonly<Record<string, (disk: MemoryDisk) => unknown>> = {
    "when records are missing that nobody pruned": (disk) => remove(disk, 512, 600),
    "when more is said to be pruned than a record tells": (disk) => {
      remove(disk, 512, 768);
      disk.objects.set(PRUNED, Buffer.from("768"));
    },
    "when the hash of a pruned record is another one": (disk) => {
      const tile = Buffer.from(disk.objects.get(tileName(0, 1)) ?? []);
      tile.writeUInt8(tile.readUInt8(0) ^ 1, 0);
      disk.objects.set(tileName(0, 1), tile);
    },
    "when the record of a key is missing": (disk) => disk.removed.add(rotation),
    "when the first record is missing": (disk) => disk.removed.add(0),
  };
  for (const [name, attack] of Object.entries(attacks)) {
    it(name, async () => {
      await prune(700);
      await journal.close();
      const disk = diskNow();
      attack(disk);
      expect((await verdictOn(disk)).verdict).toBe("tampered");
    });
  }

  it("when records went and no record at all tells of it", async () => {
    await journal.close();
    const disk = diskNow();
    remove(disk, 1, 512);
    disk.objects.set(PRUNED, Buffer.from("512"));
    for (const name of disk.objects.keys())
      if (name.startsWith(BLOBS) && name < blobName(512, 0)) disk.objects.delete(name);
    expect(await verdictOn(disk)).toMatchObject({ verdict: "tampered", fault: { seq: 1 } });
  });
});

it("leaves everything where the disk fails in the middle of it", async () => {
  await journal.close();
  const { journal: again, store } = await log.boot();
  journal = again;
  const plan = await planPruning(journal, 700);
  await journal.snapshot();
  await journal.checkpoint();
  const before = diskNow();
  const append = store.append.bind(store);
  store.append = async (group) => {
    if (group.removal !== undefined) store.inject({ kind: "EIO" });
    await append(group);
  };
  await expect(journal.prune(plan, OPERATOR)).rejects.toMatchObject({ code: "FEMTO_JOURNAL_WRITE_FAILED" });
  expect(log.disk.removed.size).toBe(0);
  expect(log.disk.objects.has(PRUNED)).toBe(false);
  expect([...log.disk.objects.keys()]).toEqual(expect.arrayContaining([...before.objects.keys()]));
});

it("never moves its boundary back, whoever prunes at the same time", async () => {
  const [far, near] = [await planPruning(journal, 700), await planPruning(journal, 300)];
  const [first, second] = await Promise.allSettled([journal.prune(far, OPERATOR), journal.prune(near, OPERATOR)]);
  expect(first).toMatchObject({ status: "fulfilled" });
  expect(second).toMatchObject({ status: "rejected", reason: { code: "FEMTO_PRUNE_REFUSED" } });
  expect(await journal.prunedBefore()).toBe(512);
  await journal.close();
  ({ journal } = await log.boot());
  expect((await collect(journal.readFrom(512))).length).toBe(journal.size - 512);
});
