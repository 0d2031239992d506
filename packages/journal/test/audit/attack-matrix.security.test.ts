/**
 * The attack matrix: what somebody with the disk in hand can do to a log of 1,000 records, against what is
 * kept of it. Each cell is tried out; the words for what cannot be seen stand in the last tests.
 */
import { beforeAll, describe, expect, it } from "vitest";
import type { HeldCheckpoint, VerifyOptions } from "../../src/index.ts";
import { checkpointName, EDGE, tileName } from "../../src/records/object-name.ts";
import { Machine } from "../machine.ts";
import {
  edit,
  fill,
  flip,
  recompute,
  resign,
  type SignedLog,
  signedLog,
  truncate,
  unsign,
  verified,
} from "./attacked-log.ts";

let log: SignedLog;

beforeAll(async () => {
  log = await signedLog();
});

/** What the verifier has beside the log: nothing; its key; its key and what a witness holds. */
const COLUMNS = ["no key", "signed checkpoint beside", "witness at 800", "witness at 1000"] as const;
type Column = (typeof COLUMNS)[number];

const witnessed = (note: string): readonly HeldCheckpoint[] => [
  { note, whose: "the checkpoint of the witness", witnessed: true, elsewhere: true },
];

function knownIn(column: Column): Omit<VerifyOptions, "source"> {
  const pinned = log.vkey;
  switch (column) {
    case "no key":
      return {};
    case "signed checkpoint beside":
      return { pinned };
    case "witness at 800":
      return { pinned, held: witnessed(log.at800) };
    case "witness at 1000":
      return { pinned, held: witnessed(log.at1000) };
  }
}

interface Attack {
  readonly name: string;
  readonly stage: (machine: Machine) => unknown;
  /** One letter for each column: C for caught, - for missed. */
  readonly caught: string;
  /** What a bare hash chain, signatures and witnesses are known to catch; a cell may be better, never worse. */
  readonly atLeast: string;
  /** The first record that cannot be vouched for, where every column that catches it names the same. */
  readonly seq?: number;
  readonly words?: string;
}

const MATRIX: readonly Attack[] = [
  {
    name: "edit one record",
    stage: ({ disk }) => edit(disk, 500),
    caught: "CCCC",
    atLeast: "CCCC",
    seq: 500,
    words: "tile 1 of level 0",
  },
  {
    name: "edit one record and recompute the tree",
    stage: ({ disk }) => [edit(disk, 500), recompute(disk)],
    caught: "CCCC",
    atLeast: "-CCC",
    seq: 300,
    words: "checkpoint of size 800 does not count",
  },
  {
    name: "truncate the newest 100",
    stage: ({ disk }) => disk.records.splice(900),
    caught: "CCCC",
    atLeast: "-C-C",
    seq: 900,
    words: "holds 900",
  },
  {
    name: "truncate and restore an older signed checkpoint",
    stage: ({ disk }) => truncate(disk, 800),
    caught: "---C",
    atLeast: "---C",
    seq: 800,
    words: "the checkpoint of the witness vouches for 1000 records, and the log holds 800",
  },
  {
    name: "roll back below the witness, to 700",
    stage: ({ disk }) => truncate(disk, 700),
    caught: "--CC",
    atLeast: "--CC",
    seq: 700,
  },
  {
    name: "cut the tail after the last checkpoint, from 1100 to 1000",
    stage: async (machine) => {
      await fill((await machine.boot()).journal, 100);
      expect(machine.disk.records).toHaveLength(1_100);
      truncate(machine.disk, 1_000);
    },
    caught: "----",
    atLeast: "----",
  },
  {
    name: "edit and re-sign with the stolen key",
    stage: ({ disk }) => [edit(disk, 500), resign(disk, log.origin, log.key)],
    caught: "--CC",
    atLeast: "--CC",
  },
  {
    name: "edit after the last witnessed size and re-sign with the stolen key",
    stage: ({ disk }) => [edit(disk, 900), resign(disk, log.origin, log.key)],
    caught: "---C",
    atLeast: "---C",
  },
  {
    name: "restore an older copy of the whole disk",
    stage: (machine) => Object.assign(machine, { disk: log.copyAt800.copy().disk }),
    caught: "---C",
    atLeast: "---C",
    seq: 800,
    words: "the checkpoint of the witness vouches for 1000 records",
  },
  {
    name: "begin the whole log anew with another key",
    stage: async (machine) => {
      const stranger = new Machine();
      const { journal } = await stranger.boot();
      await fill(journal, 999);
      await journal.close();
      Object.assign(machine, { disk: stranger.disk });
    },
    caught: "-CCC",
    atLeast: "-CCC",
  },
  {
    name: "edit, recompute, and take every signature away",
    stage: ({ disk }) => [edit(disk, 500), recompute(disk), unsign(disk)],
    caught: "CCCC",
    atLeast: "-CCC",
  },
  {
    name: "edit one record of the tail",
    stage: ({ disk }) => edit(disk, 990),
    caught: "CCCC",
    atLeast: "CCCC",
    seq: 800,
    words: "other records",
  },
  {
    name: "drop a record",
    stage: ({ disk }) => disk.records.splice(600, 1),
    caught: "CCCC",
    atLeast: "CCCC",
    seq: 600,
    words: "calls itself 601",
  },
  {
    name: "swap two records",
    stage: ({ disk }) => disk.records.splice(600, 2, ...disk.records.slice(600, 602).reverse()),
    caught: "CCCC",
    atLeast: "CCCC",
    seq: 600,
    words: "calls itself 601",
  },
  {
    name: "duplicate a record",
    stage: ({ disk }) => disk.records.splice(600, 0, disk.records[600] ?? Buffer.alloc(0)),
    caught: "CCCC",
    atLeast: "CCCC",
    seq: 601,
    words: "calls itself 600",
  },
  {
    name: "another tile",
    stage: ({ disk }) => flip(disk, tileName(0, 1)),
    caught: "CCCC",
    atLeast: "CCCC",
    seq: 256,
  },
  {
    name: "another edge",
    stage: ({ disk }) => flip(disk, EDGE),
    caught: "CCCC",
    atLeast: "CCCC",
    words: "edge of the tree",
  },
  {
    name: "an empty checkpoint",
    stage: ({ disk }) => disk.objects.set(checkpointName(800), Buffer.alloc(0)),
    caught: "CCCC",
    atLeast: "CCCC",
  },
];

describe("the attack matrix", () => {
  describe.each(MATRIX)("$name", ({ stage, caught, atLeast, seq, words }) => {
    it.each(COLUMNS)("%s", async (column) => {
      const machine = log.machine.copy();
      await stage(machine);
      const verdict = await verified(machine, knownIn(column));
      const cell = verdict.verdict === "verified" ? "-" : "C";
      const at = COLUMNS.indexOf(column);
      expect(cell).toBe(caught[at]);
      if (atLeast[at] === "C") expect(cell).toBe("C");
      if (cell === "-") return;
      if (seq !== undefined) expect(verdict.fault?.seq).toBe(seq);
      if (words !== undefined) expect(verdict.fault?.reason).toContain(words);
    });
  });

  it("begins with a log that nobody touched, which every column verifies", async () => {
    const sizes: (number | null)[] = [];
    for (const column of COLUMNS) {
      const verdict = await verified(log.machine, knownIn(column));
      expect(verdict).toMatchObject({ verdict: "verified", size: 1_000, signedSize: 1_000, fault: null });
      sizes.push(verdict.witnessedSize);
    }
    expect(sizes).toEqual([null, null, 800, 1_000]);
  });
});

const ROLLED_BACK =
  "without a checkpoint that was kept elsewhere, a log that was rolled back to an older copy of itself looks like one that never grew";

describe("what nobody could have found out", () => {
  const caveats = async (column: Column, machine = log.machine) => (await verified(machine, knownIn(column))).caveats;

  it("is said in words: the key, the rollback, what no witness holds", async () => {
    expect(await caveats("no key")).toEqual([
      "without a public key that was kept elsewhere, the log can only be shown to be consistent with itself",
      ROLLED_BACK,
    ]);
    expect(await caveats("signed checkpoint beside")).toEqual([ROLLED_BACK]);
    expect(await caveats("witness at 800")).toEqual([
      "no witness holds the last 200 records, so a change of them by the holder of the key cannot be detected",
    ]);
    expect(await caveats("witness at 1000")).toEqual([]);
  });

  it("is said of the tail behind the last checkpoint, whoever witnesses", async () => {
    const growing = log.machine.copy();
    await fill((await growing.boot()).journal, 100);
    expect(await caveats("witness at 1000", growing)).toEqual([
      "no witness holds the last 100 records, so a change of them by the holder of the key cannot be detected",
      "no checkpoint covers the last 100 records, so it cannot be detected if more records followed and were removed",
    ]);
    const one = log.machine.copy();
    await fill((await one.boot()).journal, 1);
    expect(await caveats("witness at 1000", one)).toEqual([
      "no witness holds the last record, so a change of it by the holder of the key cannot be detected",
      "no checkpoint covers the last record, so it cannot be detected if more records followed and were removed",
    ]);
  });

  it("is said as before where what a witness cosigned lay beside the log, for both roll back together", async () => {
    const held = witnessed(log.at1000).map((checkpoint) => ({ ...checkpoint, elsewhere: false }));
    const { witnessedSize, caveats: said } = await verified(log.machine, { pinned: log.vkey, held });
    expect([witnessedSize, said]).toEqual([1_000, [ROLLED_BACK]]);
  });
});
