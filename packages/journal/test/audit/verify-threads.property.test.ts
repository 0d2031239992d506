/** The verdict about a log, right or tampered with, does not depend on how many threads looked at it. */

import { MemoryDisk, MemoryStore } from "@femtoclaw/testing/in-memory";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  exportTiles,
  type LogSource,
  type LogVerdict,
  StoreReader,
  StoreSource,
  TilesSource,
  verifyLog,
} from "../../src/index.ts";
import { checkpointName, EDGE, tileName } from "../../src/records/object-name.ts";
import { RecordOrder } from "../../src/records/record-order.ts";
import { message, temporaryDirectory } from "../journal-fixture.ts";
import { Machine } from "../machine.ts";

/** Two boots, a change of the key, three snapshots, and more records than five segments hold. */
let log: Machine;
let size = 0;

beforeAll(async () => {
  log = new Machine();
  for (const count of [2_600, 2_900]) {
    const { journal } = await log.boot();
    const fill = (records: number): Promise<unknown> =>
      Promise.all(Array.from({ length: records }, (_, index) => journal.append(message(`m${index}`))));
    await fill(1_030);
    await journal.snapshot();
    if (count === 2_900) await journal.rotateKey();
    await fill(count - 1_030);
    await journal.snapshot();
    await fill(30);
    await journal.close();
  }
  size = log.disk.records.length;
});

async function sourceOf({ disk }: Machine): Promise<LogSource> {
  const store = new MemoryStore(Object.assign(new MemoryDisk(), disk, { opened: false }));
  const opened = await store.open();
  return new StoreSource(store, opened.size);
}

async function verdicts(machine: Machine): Promise<LogVerdict[]> {
  const found: LogVerdict[] = [];
  for (const threads of [0, 1, 3]) found.push(await verifyLog({ source: await sourceOf(machine), threads }));
  return found;
}

/** The first record that is not right by itself or after the one before, found by reading one after the other. */
function firstFault({ records }: MemoryDisk): { seq: number; reason: string } | null {
  const order = new RecordOrder();
  for (const [seq, bytes] of records.entries()) {
    try {
      order.read(seq, bytes);
    } catch (error) {
      return { seq, reason: (error as Error).message };
    }
  }
  return null;
}

const edited = (disk: MemoryDisk, seq: number, what: RegExp, by: string): void => {
  disk.records[seq] = Buffer.from(
    Buffer.from(disk.records[seq] ?? [])
      .toString()
      .replace(what, by),
  );
};

const flipped = (bytes: Uint8Array | undefined, at: number): Buffer => {
  const copy = Buffer.from(bytes ?? []);
  const place = at % Math.max(copy.length, 1);
  copy[place] = (copy[place] ?? 0) ^ 1;
  return copy;
};

const TAMPERINGS: Readonly<Record<string, (disk: MemoryDisk, seq: number, number: number) => unknown>> = {
  nothing: () => undefined,
  "a bit": (disk, seq, number) => disk.records.splice(seq, 1, flipped(disk.records[seq], number)),
  content: (disk, seq) => edited(disk, seq, /"content":"m/, '"content":"M'),
  spelling: (disk, seq) => edited(disk, seq, /,/, ", "),
  "time that stands still": (disk, seq) => edited(disk, seq, /"mono_us":\d+/, '"mono_us":0'),
  "time that leaps": (disk, seq) => edited(disk, seq, /"mono_us":\d+/, '"mono_us":4000000000'),
  "another boot": (disk, seq) => edited(disk, seq, /"boot":"boot-\d+"/, '"boot":"boot-1"'),
  "a boot of its own": (disk, seq) => edited(disk, seq, /"boot":"boot-\d+"/, '"boot":"boot-9"'),
  "a format of the future": (disk, seq) => edited(disk, seq, /"v":\d+/, '"v":9'),
  "another root": (disk) => {
    const taken = disk.records.findLastIndex((bytes) => Buffer.from(bytes).includes("snapshot.taken"));
    edited(disk, taken, /"root":"./, '"root":"_');
  },
  "a record too many": (disk, seq) => disk.records.splice(seq, 0, disk.records[seq] ?? Buffer.of()),
  "a record too few": (disk, seq) => disk.records.splice(seq, 1),
  "records swapped": (disk, seq) => disk.records.splice(seq, 2, ...disk.records.slice(seq, seq + 2).reverse()),
  "a cut": (disk, seq) => disk.records.splice(seq),
  "a record that is too large": (disk, seq) => disk.records.splice(seq, 1, Buffer.alloc(17_000_000, " ")),
  "no tile": ({ objects }, seq) => objects.delete(tileName(0, Math.floor(seq / 256))),
  "another tile": ({ objects }, seq, number) => {
    const name = tileName(0, Math.floor(seq / 256));
    objects.set(name, flipped(objects.get(name), number));
  },
  "no checkpoint": ({ objects }, seq) => objects.delete(checkpointOf(seq)),
  "another checkpoint": ({ objects }, seq, number) => {
    objects.set(checkpointOf(seq), flipped(objects.get(checkpointOf(seq)), number));
  },
  "another edge": ({ objects }, _, number) => objects.set(EDGE, flipped(objects.get(EDGE), number)),
};

/** Name of a checkpoint of the log, whichever. */
function checkpointOf(seq: number): string {
  const { signed } = log;
  return checkpointName(signed[seq % signed.length] ?? 0);
}

const tampering = fc.record({
  what: fc.constantFrom(...Object.keys(TAMPERINGS)),
  // Where segments meet, something could slip through.
  seq: fc.oneof(
    fc.nat({ max: 5_500 }),
    fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: -1, max: 1 })).map(([segment, by]) => {
      return Math.max(segment * 1_024 + by, 0);
    }),
  ),
  number: fc.nat({ max: 10_000 }),
});

describe("the verdict of any number of threads", () => {
  it("is the same about a log that nobody touched, and so is that about its export", async () => {
    const all = await verdicts(log);
    expect(all[0]).toMatchObject({ verdict: "verified", size, root: log.root() });
    expect(all[1]).toEqual(all[0]);
    expect(all[2]).toEqual(all[0]);

    const store = new MemoryStore(Object.assign(new MemoryDisk(), log.disk, { opened: false }));
    const reader = new StoreReader(store, (await store.open()).size);
    const folder = `${await temporaryDirectory()}/export`;
    await exportTiles(reader, folder);
    const [alone, threaded] = [
      await verifyLog({ source: new TilesSource(folder), threads: 0 }),
      await verifyLog({ source: new TilesSource(folder), threads: 2 }),
    ];
    expect(alone).toMatchObject({ verdict: "verified", size, root: log.root() });
    expect(threaded).toEqual(alone);
  });

  it("is the same when threads join a long verification on the way", async () => {
    const long = new Machine();
    const { journal } = await long.boot();
    for (let filled = 0; filled < 50_000; filled += 10_000) {
      await Promise.all(Array.from({ length: 10_000 }, (_, index) => journal.append(message(`m${filled + index}`))));
    }
    await journal.close();
    const [alone] = await verdicts(long);
    expect(alone).toMatchObject({ verdict: "verified", root: long.root() });
    expect(await verifyLog({ source: await sourceOf(long) })).toEqual(alone);
    TAMPERINGS["content"]?.(long.disk, 45_000, 0);
    expect((await verifyLog({ source: await sourceOf(long) })).fault?.seq).toBe((await verdicts(long))[0]?.fault?.seq);
  });

  it.each(Object.keys(TAMPERINGS))("is the same where a segment begins: %s", async (what) => {
    const machine = log.copy();
    TAMPERINGS[what]?.(machine.disk, 1_024, 7);
    const [alone, ...threaded] = await verdicts(machine);
    for (const verdict of threaded) expect(verdict).toEqual(alone);
  });

  it.each([
    ["time that stands still", 2_048, 2_048, "the record is older than the one before it"],
    ["time that leaps", 2_047, 2_048, "the record is older than the one before it"],
    ["another boot", 4_096, 4_096, "the boot of the record had ended before"],
  ])("tells what is wrong from one segment to the next: %s", async (what, tampered, seq, reason) => {
    const machine = log.copy();
    // Without notes and tiles nothing but the records themselves shows it.
    machine.disk.objects.clear();
    TAMPERINGS[what]?.(machine.disk, tampered, 0);
    for (const { fault } of await verdicts(machine)) expect(fault).toEqual({ seq, reason });
  });

  it("is the same whatever was done where, and no later than reading one record after the other finds it", async () => {
    const property = fc.asyncProperty(fc.array(tampering, { minLength: 1, maxLength: 2 }), async (steps) => {
      const machine = log.copy();
      for (const { what, seq, number } of steps) TAMPERINGS[what]?.(machine.disk, seq, number);
      const [alone, ...threaded] = await verdicts(machine);
      for (const verdict of threaded) expect(verdict).toEqual(alone);
      const first = firstFault(machine.disk);
      if (first === null) return;
      expect(alone?.verdict).not.toBe("verified");
      expect(alone?.fault?.seq ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(first.seq);
    });
    await fc.assert(property, { numRuns: 14 });
  });
});
