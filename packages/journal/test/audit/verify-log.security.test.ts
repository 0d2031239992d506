/** What somebody with the disk in hand can do to a log, and what a verifier makes of it: the attack matrix. */
import type { KeyObject } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { type Journal, type LogVerdict, MemoryDisk, MemoryStore, StoreSource, verifyLog } from "../../src/index.ts";
import { CHECKPOINTS, checkpointName, EDGE, TILES, tileName } from "../../src/object-name.ts";
import { formatCheckpoint } from "../../src/tree/checkpoint.ts";
import { noteSigner, signNote } from "../../src/tree/signed-note.ts";
import { TileTree } from "../../src/tree/tiles.ts";
import { growTree } from "../../src/tree-log.ts";
import { message } from "../journal-fixture.ts";
import { Machine } from "../machine.ts";

const fill = (journal: Journal, count: number): Promise<unknown> =>
  Promise.all(Array.from({ length: count }, (_, index) => journal.append(message(`m${index}`))));

/** A log of 1,000 records, signed at 300, 800 and 1,000, and what others may have kept of it. */
let log: Machine;
let origin = "";
let vkey = "";
let key: KeyObject;
let at800 = "";
let at1000 = "";
let copyAt800: Machine;

beforeAll(async () => {
  log = new Machine();
  const { journal } = await log.boot();
  await fill(journal, 299);
  await journal.checkpoint();
  await fill(journal, 500);
  at800 = await journal.checkpoint();
  copyAt800 = log.copy();
  await fill(journal, 200);
  at1000 = await journal.checkpoint();
  await journal.close();
  origin = journal.origin;
  key = (await log.keyring.current()) ?? key;
  vkey = (await verified(log)).keys[0]?.vkey ?? "";
});

async function verified({ disk }: Machine, known: { pinned?: string; checkpoint?: string } = {}): Promise<LogVerdict> {
  const store = new MemoryStore(Object.assign(new MemoryDisk(), disk, { opened: false }));
  const { size } = await store.open();
  return await verifyLog({ source: new StoreSource(store, size), ...known });
}

function edit(disk: MemoryDisk, seq: number): void {
  const text = Buffer.from(disk.records[seq] ?? []).toString();
  const edited = text.replace('"content":"m', '"content":"M');
  expect(edited).not.toBe(text);
  disk.records[seq] = Buffer.from(edited);
}

/** Tiles and edge anew, as anyone can make them. */
function recompute(disk: MemoryDisk): TileTree {
  const tree = new TileTree();
  for (const name of disk.objects.keys()) if (name === EDGE || name.startsWith(TILES)) disk.objects.delete(name);
  for (const record of disk.records)
    for (const { name, bytes } of growTree(tree, [record])) disk.objects.set(name, bytes);
  return tree;
}

/** One checkpoint over everything by this key, in the place of all others. */
function resign(disk: MemoryDisk, by: KeyObject): void {
  const tree = recompute(disk);
  for (const name of disk.objects.keys()) if (name.startsWith(CHECKPOINTS)) disk.objects.delete(name);
  const text = formatCheckpoint({ origin, size: tree.size, root: tree.root() });
  disk.objects.set(checkpointName(tree.size), Buffer.from(signNote(text, [noteSigner(origin, by)])));
}

function truncate(disk: MemoryDisk, size: number): void {
  disk.records.length = size;
  recompute(disk);
  for (const name of disk.objects.keys())
    if (name > checkpointName(size) && name.startsWith(CHECKPOINTS)) disk.objects.delete(name);
}

const ALONE = "beside it";
const AT_800 = "kept at 800";
const AT_1000 = "kept at 1000";

interface Attack {
  readonly name: string;
  readonly stage: (machine: Machine) => unknown;
  /** Who finds it: with nothing but the log and its key, or with a note that was kept elsewhere as well. */
  readonly caughtBy: readonly string[];
  readonly seq?: number;
  readonly words?: string;
}

const ALL = [ALONE, AT_800, AT_1000];

const MATRIX: readonly Attack[] = [
  {
    name: "edit one record",
    stage: ({ disk }) => edit(disk, 500),
    caughtBy: ALL,
    seq: 500,
    words: "tile 1 of level 0",
  },
  {
    name: "edit one record of the tail",
    stage: ({ disk }) => edit(disk, 990),
    caughtBy: ALL,
    seq: 800,
    words: "other records",
  },
  {
    name: "edit and compute the tree anew",
    stage: ({ disk }) => [edit(disk, 500), recompute(disk)],
    caughtBy: ALL,
    seq: 300,
    words: "checkpoint of size 800 does not count",
  },
  {
    name: "truncate the newest 100",
    stage: ({ disk }) => disk.records.splice(900),
    caughtBy: ALL,
    seq: 900,
    words: "holds 900",
  },
  {
    name: "truncate and keep only what was signed earlier",
    stage: ({ disk }) => truncate(disk, 800),
    caughtBy: [AT_1000],
    seq: 800,
    words: "kept elsewhere vouches for 1000 records, and the log holds 800",
  },
  {
    name: "roll back to an older copy",
    stage: (machine) => Object.assign(machine, { disk: copyAt800.copy().disk }),
    caughtBy: [AT_1000],
    seq: 800,
    words: "kept elsewhere vouches for 1000 records",
  },
  {
    name: "roll back below what was kept",
    stage: ({ disk }) => truncate(disk, 300),
    caughtBy: [AT_800, AT_1000],
    seq: 300,
  },
  {
    name: "drop a record",
    stage: ({ disk }) => disk.records.splice(600, 1),
    caughtBy: ALL,
    seq: 600,
    words: "calls itself 601",
  },
  {
    name: "swap two records",
    stage: ({ disk }) => disk.records.splice(600, 2, ...disk.records.slice(600, 602).reverse()),
    caughtBy: ALL,
    seq: 600,
    words: "calls itself 601",
  },
  {
    name: "duplicate a record",
    stage: ({ disk }) => disk.records.splice(600, 0, disk.records[600] ?? Buffer.alloc(0)),
    caughtBy: ALL,
    seq: 601,
    words: "calls itself 600",
  },
  {
    name: "edit and sign with the stolen key",
    stage: ({ disk }) => [edit(disk, 500), resign(disk, key)],
    caughtBy: [AT_800, AT_1000],
  },
  {
    name: "edit what was signed last, and sign with the stolen key",
    stage: ({ disk }) => [edit(disk, 900), resign(disk, key)],
    caughtBy: [AT_1000],
  },
  { name: "another tile", stage: ({ disk }) => flip(disk, tileName(0, 1)), caughtBy: ALL, seq: 256 },
  { name: "another edge", stage: ({ disk }) => flip(disk, EDGE), caughtBy: ALL, words: "edge of the tree" },
  {
    name: "no checkpoint but an empty one",
    stage: ({ disk }) => disk.objects.set(checkpointName(800), Buffer.alloc(0)),
    caughtBy: ALL,
    seq: 300,
  },
];

function flip({ objects }: MemoryDisk, name: string): void {
  const bytes = Buffer.from(objects.get(name) ?? []);
  bytes.writeUInt8(bytes.readUInt8(20) ^ 1, 20);
  objects.set(name, bytes);
}

describe("the attack matrix", () => {
  it("begins with a log that nobody touched", async () => {
    const verdict = await verified(log, { pinned: vkey, checkpoint: at1000 });
    expect(verdict).toMatchObject({ size: 1_000, signedSize: 1_000, unsignedTail: 0, witnessedSize: null });
    expect(verdict).toMatchObject({ verdict: "verified", pinned: "matches", fault: null, caveats: [] });
    expect(verdict.root).toBe(log.root());
    expect(verdict.keys).toEqual([{ vkey, fromSize: 1, retiredAtSize: null }]);
  });

  describe.each(MATRIX)("$name", ({ stage, caughtBy, seq, words }) => {
    it.each(ALL)("with a checkpoint %s", async (kept) => {
      const machine = log.copy();
      stage(machine);
      const checkpoint = { [ALONE]: undefined, [AT_800]: at800, [AT_1000]: at1000 }[kept];
      const verdict = await verified(machine, { pinned: vkey, ...(checkpoint === undefined ? {} : { checkpoint }) });
      expect(verdict.verdict).toBe(caughtBy.includes(kept) ? "tampered" : "verified");
      if (!caughtBy.includes(kept)) return;
      if (seq !== undefined) expect(verdict.fault?.seq).toBe(seq);
      if (words !== undefined) expect(verdict.fault?.reason).toContain(words);
    });
  });

  it("says in words what cannot be seen: a roll-back without a kept checkpoint, and a cut unsigned tail", async () => {
    const rolledBack = copyAt800.copy();
    expect((await verified(rolledBack)).caveats).toEqual([
      expect.stringContaining("consistent with itself"),
      expect.stringContaining("rolled back to an older copy of itself cannot be told from one that never grew"),
    ]);
    const growing = log.copy();
    const { journal } = await growing.boot();
    await fill(journal, 100);
    const running = await verified(growing, { pinned: vkey, checkpoint: at1000 });
    expect(running).toMatchObject({ size: 1_100, signedSize: 1_000, unsignedTail: 100, verdict: "verified" });
    expect(running.caveats).toEqual([expect.stringContaining("no checkpoint covers the last 100 records")]);
    truncate(growing.disk, 1_000);
    expect((await verified(growing, { pinned: vkey, checkpoint: at1000 })).verdict).toBe("verified");
  });
});

describe("keys", () => {
  it("of another make vouch for nothing, neither over the old records nor over a log of their own", async () => {
    const stranger = new Machine();
    const { journal } = await stranger.boot();
    await fill(journal, 20);
    await journal.close();
    const own = await verified(stranger);
    expect(own).toMatchObject({ verdict: "verified", pinned: "absent" });
    expect(await verified(stranger, { pinned: vkey })).toMatchObject({ verdict: "tampered", pinned: "differs" });

    const resigned = log.copy();
    resign(resigned.disk, (await stranger.keyring.current()) ?? key);
    expect((await verified(resigned)).fault?.reason).toContain("no right signature by a key of this log");
  });

  it("change only with the old key's consent, and a retired one signs no more", async () => {
    const machine = new Machine();
    const { journal } = await machine.boot();
    await fill(journal, 10);
    const retired = await machine.keyring.current();
    await journal.rotateKey();
    await fill(journal, 10);
    await journal.close();
    const honest = await verified(machine);
    expect(honest).toMatchObject({ verdict: "verified", size: 22 });
    expect(honest.keys.map(({ fromSize, retiredAtSize }) => [fromSize, retiredAtSize])).toEqual([
      [1, 12],
      [12, null],
    ]);
    for (const { vkey: pinned } of honest.keys) {
      expect((await verified(machine, { pinned })).pinned).toBe("matches");
    }
    // Without the note that both signed, the new key is only what a record says.
    const seized = machine.copy();
    seized.disk.objects.delete(checkpointName(12));
    expect((await verified(seized)).fault?.reason).toContain("the key that was retired before it has not signed it");

    const stolen = machine.copy();
    const tree = new TileTree();
    for (const record of stolen.disk.records) growTree(tree, [record]);
    const text = formatCheckpoint({ origin: journal.origin, size: 22, root: tree.root() });
    const forged = signNote(text, [noteSigner(journal.origin, retired ?? key)]);
    stolen.disk.objects.set(checkpointName(22), Buffer.from(forged));
    expect(await verified(stolen)).toMatchObject({
      verdict: "tampered",
      fault: { seq: 12, reason: expect.stringContaining("a key that is not in force there") as string },
    });
    stolen.disk.objects.delete(checkpointName(22));
    expect((await verified(stolen, { checkpoint: forged })).verdict).toBe("tampered");
  });
});

describe("what is not there or not known", () => {
  it.each([
    ["no record at all", (disk: MemoryDisk) => [disk.records.splice(0), disk.objects.clear()], "incomplete", 0],
    [
      "no checkpoint",
      ({ objects }: MemoryDisk) => [300, 800, 1_000].map((size) => objects.delete(checkpointName(size))),
      "incomplete",
      0,
    ],
    ["a missing tile", ({ objects }: MemoryDisk) => objects.delete(tileName(0, 2)), "incomplete", 512],
    [
      "a record of the future",
      ({ records }: MemoryDisk) => records.splice(700, 1, future(records[700])),
      "unverifiable",
      700,
    ],
    [
      "a record that is no record",
      ({ records }: MemoryDisk) => records.splice(700, 1, Buffer.from("{}")),
      "tampered",
      700,
    ],
    [
      "a record that is no text",
      ({ records }: MemoryDisk) => records.splice(700, 1, Buffer.of(255, 0)),
      "tampered",
      700,
    ],
    ["depth", ({ records }: MemoryDisk) => records.splice(700, 1, Buffer.from("[".repeat(100_000))), "tampered", 700],
    [
      "another spelling",
      ({ records }: MemoryDisk) =>
        records.splice(700, 1, Buffer.concat([records[700] ?? Buffer.of(), Buffer.from(" ")])),
      "tampered",
      700,
    ],
    ["a second beginning", ({ records }: MemoryDisk) => records.splice(1, 1, renumbered(records[0])), "tampered", 1],
    ["no beginning", ({ records }: MemoryDisk) => records.splice(0, 1, renumbered(records[1], 0)), "tampered", 0],
    [
      "a checkpoint of no size",
      ({ objects }: MemoryDisk) => objects.set("checkpoint/x", Buffer.alloc(0)),
      "tampered",
      0,
    ],
    [
      "a checkpoint of size 0",
      ({ objects }: MemoryDisk) => objects.set(checkpointName(0), Buffer.alloc(0)),
      "tampered",
      0,
    ],
  ] as const)("%s", async (_, stage, verdict, seq) => {
    const machine = log.copy();
    stage(machine.disk);
    const { fault, ...found } = await verified(machine);
    expect({ verdict: found.verdict, seq: fault?.seq }).toEqual({ verdict, seq });
  });

  it.each(["", "\n\n", "a\n5\nb", "x".repeat(100_000), "o\n9007199254740993\nr\n\n\u2014 a b\n"])(
    "a kept checkpoint that is none (%j) is found to be none",
    async (checkpoint) => expect((await verified(log, { checkpoint })).verdict).toBe("tampered"),
  );
});

function future(bytes: Uint8Array | undefined): Buffer {
  return Buffer.from(
    Buffer.from(bytes ?? [])
      .toString()
      .replace('"v":1', '"v":9'),
  );
}

function renumbered(bytes: Uint8Array | undefined, seq = 1): Buffer {
  return Buffer.from(
    Buffer.from(bytes ?? [])
      .toString()
      .replace(/"seq":\d+/, `"seq":${seq}`),
  );
}
