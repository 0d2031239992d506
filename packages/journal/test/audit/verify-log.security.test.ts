/** Keys, missing parts and hostile input under the verifier. The attack matrix has a file of its own. */
import type { KeyObject } from "node:crypto";
import type { MemoryDisk } from "@femtoclaw/testing/in-memory";
import { beforeAll, describe, expect, it } from "vitest";
import { checkpointName, tileName } from "../../src/records/object-name.ts";
import { formatCheckpoint } from "../../src/tree/checkpoint.ts";
import { noteSigner, signNote } from "../../src/tree/signed-note.ts";
import { TileTree } from "../../src/tree/tiles.ts";
import { growTree } from "../../src/tree-log.ts";
import { Machine } from "../machine.ts";
import { fill, resign, signedLog, truncate, verified } from "./attacked-log.ts";

/** A log of 1,000 records, signed at 300, 800 and 1,000. */
let log: Machine;
let origin = "";
let vkey = "";
let key: KeyObject;
let at1000 = "";

beforeAll(async () => {
  const signed = await signedLog();
  log = signed.machine;
  ({ origin, vkey, key, at1000 } = signed);
});

describe("a log that nobody touched", () => {
  it("verifies to its end", async () => {
    const verdict = await verified(log, { pinned: vkey, checkpoint: at1000 });
    expect(verdict).toMatchObject({ size: 1_000, signedSize: 1_000, unsignedTail: 0, witnessedSize: null });
    expect(verdict).toMatchObject({ verdict: "verified", pinned: "matches", fault: null, caveats: [] });
    expect(verdict.root).toBe(log.root());
    expect(verdict.keys).toEqual([{ vkey, fromSize: 1, retiredAtSize: null }]);
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
    resign(resigned.disk, origin, (await stranger.keyring.current()) ?? key);
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

// Whoever holds the key can sign anything, and no snapshot is proved by what its record does not name.
it.each([
  ["covers fewer records", /"covers":10/, '"covers":9'],
  ["names another size", /"size":11/, '"size":10'],
  ["names another root", /"root":"[^"]{43}/, `"root":"${"A".repeat(43)}`],
])("a snapshot whose record %s is tampered with, also where that was signed", async (_what, right, forged) => {
  const machine = new Machine();
  const { journal } = await machine.boot();
  await fill(journal, 10);
  await journal.snapshot();
  await fill(journal, 5);
  await journal.close();
  const signer = await machine.keyring.current();
  if (signer === null) throw new Error("the log has a key");
  expect((await verified(machine)).verdict).toBe("verified");
  const text = Buffer.from(machine.disk.records[11] ?? []).toString();
  expect(text).toMatch(right);
  machine.disk.records[11] = Buffer.from(text.replace(right, forged));
  resign(machine.disk, journal.origin, signer);
  const fault = { seq: 11, reason: "the snapshot's tree is not that of the records before it" };
  expect(await verified(machine)).toMatchObject({ verdict: "tampered", fault });
});

it("a log that names itself again is tampered with, also where that was signed", async () => {
  const machine = log.copy();
  const [first = "", replaced = ""] = [0, 400].map((seq) => Buffer.from(machine.disk.records[seq] ?? []).toString());
  const now = /"mono_us":\d+/.exec(replaced)?.[0] ?? "";
  machine.disk.records[400] = Buffer.from(first.replace('"seq":0', '"seq":400').replace(/"mono_us":\d+/, now));
  resign(machine.disk, origin, key);
  const fault = { seq: 400, reason: "a log is created once" };
  expect(await verified(machine)).toMatchObject({ verdict: "tampered", fault });
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
    [
      "the tile of records that are gone, with every newer checkpoint",
      (disk: MemoryDisk) => {
        const tile = disk.objects.get(tileName(0, 1)) ?? Buffer.of();
        truncate(disk, 300);
        disk.objects.set(tileName(0, 1), tile);
      },
      "tampered",
      300,
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
