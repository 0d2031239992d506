/** The journal's tree, checkpoints and keys: what is stored when, who hears of it, and what a start checks. */
import { generateKeyPairSync } from "node:crypto";
import { FemtoError } from "@femtoclaw/protocol";
import { type MemoryDisk, MemoryKeyring, MemoryStore } from "@femtoclaw/testing/in-memory";
import { describe, expect, it, vi } from "vitest";
import { StoreReader } from "../src/index.ts";
import { Notary } from "../src/notary.ts";
import { checkpointName, EDGE, tileName } from "../src/records/object-name.ts";
import { encodeBase64 } from "../src/tree/base64.ts";
import { parseCheckpoint } from "../src/tree/checkpoint.ts";
import { rootOf } from "../src/tree/proof.ts";
import { noteSigner, signNote } from "../src/tree/signed-note.ts";
import { TileTree } from "../src/tree/tiles.ts";
import { CountingProjector, collect, corrupt, countingClock, fill, message } from "./journal-fixture.ts";
import { Machine, openedBy } from "./machine.ts";

describe("the tree of a journal", () => {
  it("is stored in the batch of the records that fill its tiles", async () => {
    const machine = new Machine();
    const { journal, store } = await machine.boot();
    const append = vi.spyOn(store, "append");
    await fill(journal, 700);
    const [group] = append.mock.calls.map(([first]) => first);
    const names = group?.objects.map(({ name }) => name);
    expect(names).toEqual([tileName(0, 0), tileName(0, 1), EDGE]);
    expect(group?.records).toHaveLength(700);
    await fill(journal, 60);
    expect(append.mock.calls.flatMap(([{ objects }]) => objects.filter(({ name }) => name === EDGE))).toHaveLength(1);
    await fill(journal, 10);
    expect(machine.disk.objects.has(tileName(0, 2))).toBe(true);
  });

  it("has the root of its records, whatever part of it is read from where", async () => {
    const machine = new Machine();
    const { journal } = await machine.boot();
    for (const count of [254, 1, 1, 300, 5]) {
      await fill(journal, count);
      const root = await rootOf(journal.size, (level, start, width) => journal.hashes(level, start, width));
      expect(encodeBase64(root)).toBe(machine.root());
    }
    machine.disk.objects.delete(tileName(0, 0));
    const lacking = new MemoryStore(machine.copy().disk);
    const { size } = await lacking.open();
    await expect(new StoreReader(lacking, size).hashes(0, 0, 1)).rejects.toMatchObject(
      corrupt("tile 0 of level 0 is missing"),
    );
    const reader = new StoreReader(new MemoryStore(), 0);
    await expect(reader.hashes(0, 0, 1)).rejects.toThrow();
    await expect(journal.hashes(0, journal.size, 1)).rejects.toThrow(RangeError);
  });

  it("is found again at a start from the records behind the edge alone", async () => {
    const machine = new Machine();
    const { journal } = await machine.boot();
    await fill(journal, 600);
    await journal.close();
    const again = await machine.boot();
    const read = vi.spyOn(again.store, "read");
    await fill(again.journal, 300);
    const note = parseCheckpoint(`${(await again.journal.checkpoint()).split("\n\n")[0]}\n`);
    expect(encodeBase64(note?.root ?? Buffer.alloc(0))).toBe(machine.root(901));
    expect(read).not.toHaveBeenCalled();
    expect((await collect(again.journal.readFrom(0))).length).toBe(901);
  });

  it("is named by each snapshot's record", async () => {
    const machine = new Machine();
    const { journal } = await machine.boot();
    await fill(journal, 20);
    await journal.snapshot();
    const [taken] = await collect(journal.read(21, 22));
    expect(taken?.body).toMatchObject({ covers: 20, tree: { size: 21, root: machine.root(21) } });
  });
});

describe("checkpoints", () => {
  it("are signed over what is durable, and ride with the next group", async () => {
    const machine = new Machine();
    const { journal, store } = await machine.boot();
    const heard: string[] = [];
    journal.onCheckpoint((note) => heard.push(note));
    await fill(journal, 300);
    expect(machine.signed).toEqual([]);
    const append = vi.spyOn(store, "append");
    await fill(journal, 1);
    expect(append.mock.calls.map(([group]) => group.objects.map(({ name }) => name))).toEqual([[checkpointName(301)]]);
    expect(heard).toEqual([await journal.latestCheckpoint()]);
    const { origin, size, root } = openedBy(machine, heard[0] ?? "");
    expect([origin, size, encodeBase64(root)]).toEqual([journal.origin, 301, machine.root(301)]);
  });

  it("are made on demand over all that was appended before, and once over the same", async () => {
    const machine = new Machine();
    const { journal, store } = await machine.boot();
    const append = vi.spyOn(store, "append");
    const [, first] = await Promise.all([journal.append(message("a")), journal.checkpoint()]);
    expect(openedBy(machine, first).size).toBe(2);
    expect(await journal.checkpoint()).toBe(first);
    expect(append).toHaveBeenCalledTimes(2);
    expect(machine.signed).toEqual([2]);
  });

  it("are made in the end, and not again for nothing", async () => {
    const machine = new Machine();
    const { journal } = await machine.boot();
    await journal.append(message("a"));
    await journal.close();
    expect(machine.signed).toEqual([2]);
    await (await machine.boot()).journal.close();
    expect(machine.signed).toEqual([2]);
  });

  it("ride with the first group after 256 records", async () => {
    const machine = new Machine();
    const { journal } = await machine.boot();
    await fill(journal, 254);
    await fill(journal, 1);
    expect(machine.signed).toEqual([]);
    await fill(journal, 1);
    expect(machine.signed).toEqual([256]);
  });

  it("fall due after a second, without a group that carries them, and again after the next record", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const machine = new Machine();
      const { journal } = await machine.boot();
      const heard: string[] = [];
      let noted = Promise.withResolvers<void>();
      journal.onCheckpoint((note) => {
        heard.push(note);
        noted.resolve();
      });
      // The first is due although nothing was appended: a start may find records that an earlier boot left unsigned.
      for (const size of [1, 2, 3]) {
        if (size > 1) await journal.append(message("a"));
        await vi.advanceTimersByTimeAsync(900);
        expect(machine.signed).not.toContain(size);
        await vi.advanceTimersByTimeAsync(200);
        await noted.promise;
        expect(openedBy(machine, heard.at(-1) ?? "").size).toBe(size);
        noted = Promise.withResolvers();
      }
    } finally {
      vi.useRealTimers();
    }
  });

  it("that are waited for or fall due leave no timer behind when the journal ends", async () => {
    const waiting = new Set<() => void>();
    const clock = countingClock();
    const { journal } = await new Machine().boot(new CountingProjector(), {
      ...clock,
      after: (_delayMs, callback) => {
        waiting.add(callback);
        return () => waiting.delete(callback);
      },
    });
    await journal.append(message("a"));
    expect(waiting.size).toBe(1);
    await journal.close();
    expect(waiting.size).toBe(0);
  });

  // INVARIANT of the notary: what a crash would take back was never shown.
  it("are shown to nobody when they could not be stored", async () => {
    const machine = new Machine();
    const { journal, store } = await machine.boot();
    const heard = vi.fn<(note: string) => void>();
    journal.onCheckpoint(heard);
    await fill(journal, 300);
    store.inject({ kind: "EIO" });
    const results = await Promise.allSettled([
      journal.checkpoint(),
      journal.append(message("x")),
      journal.checkpoint(),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(heard).not.toHaveBeenCalled();
    await expect(journal.checkpoint()).rejects.toMatchObject({ code: "FEMTO_JOURNAL_CLOSED" });
    await journal.close();
    expect(machine.signed).toEqual([]);
  });

  // The failed group may be on the disk or not, so nothing may follow it.
  it.each(["while the group is written", "after it"])("that fall due %s that fails are never written", async (when) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const { journal, store } = await new Machine().boot();
      await journal.append(message("a"));
      const [begun, failing] = [Promise.withResolvers<void>(), Promise.withResolvers<never>()];
      const append = vi.spyOn(store, "append").mockImplementationOnce(() => {
        begun.resolve();
        return failing.promise;
      });
      const lost = journal.append(message("b"));
      await begun.promise;
      if (when === "while the group is written") await vi.advanceTimersByTimeAsync(1_100);
      failing.reject(new FemtoError("FEMTO_JOURNAL_WRITE_FAILED", "the device is gone"));
      await expect(lost).rejects.toMatchObject({ code: "FEMTO_JOURNAL_WRITE_FAILED" });
      await vi.advanceTimersByTimeAsync(1_100);
      await journal.close();
      expect(append).toHaveBeenCalledTimes(1);
    } finally {
      vi.useRealTimers();
    }
  });

  it("that cannot be signed fail those who wait for them", () => {
    const { publicKey } = generateKeyPairSync("ed25519");
    // What is no private key cannot sign.
    const signer = { name: "log", keyId: Buffer.alloc(4), publicKey, privateKey: publicKey };
    const notary = new Notary({ origin: "log", signers: [signer], latest: null, clock: countingClock() });
    const tree = new TileTree();
    tree.push(Buffer.alloc(32));
    const reject = vi.fn<(error: FemtoError) => void>();
    notary.request({ resolve: () => undefined, reject });
    expect(() => notary.draw(tree)).toThrow();
    const error = new FemtoError("FEMTO_JOURNAL_WRITE_FAILED", "it cannot be signed");
    notary.fail(error);
    expect(reject).toHaveBeenCalledExactlyOnceWith(error);
    expect(notary.pressing).toBe(false);
  });
});

describe("a start", () => {
  it("refuses a journal whose tree is not the one that was signed", async () => {
    const machine = new Machine();
    const { journal } = await machine.boot();
    await fill(journal, 300);
    await journal.close();
    const attacks: [string, (disk: MemoryDisk) => unknown, string][] = [
      ["an edited tail", ({ records }) => records.splice(290, 1, edited(records[290])), "checkpoint of size 301"],
      ["a tail that is cut", ({ records }) => records.pop(), "vouches for 301 records, and the journal holds 300"],
      ["nothing left", ({ records }) => records.splice(0), "vouches for 301 records, and the journal holds 0"],
      ["no edge", ({ objects }) => objects.delete(EDGE), "edge of the tree is of size 0"],
      ["a damaged edge", ({ objects }) => objects.set(EDGE, Buffer.from("?")), "edge of the tree is damaged"],
      ["another edge", ({ objects }) => forgeEdge(objects), "checkpoint of size 301"],
      ["an empty note", ({ objects }) => objects.set(checkpointName(301), Buffer.alloc(0)), "does not count"],
      ["another first record", ({ records }) => records.splice(0, 1, edited(records[1])), "record 0 calls itself 1"],
    ];
    for (const [name, attack, words] of attacks) {
      const copy = machine.copy();
      attack(copy.disk);
      const before = [copy.disk.records.length, ...copy.disk.objects.keys()];
      await expect(copy.boot(), name).rejects.toMatchObject(corrupt(words));
      expect([copy.disk.records.length, ...copy.disk.objects.keys()], "the evidence").toEqual(before);
      expect(copy.disk.opened).toBe(false);
    }
  });

  it("refuses another key, none, and a journal that does not begin with its name", async () => {
    const machine = new Machine();
    const { journal } = await machine.boot();
    await journal.close();
    const stolen = machine.copy();
    stolen.keyring = new MemoryKeyring();
    await expect(stolen.boot()).rejects.toMatchObject({ code: "FEMTO_KEY_MISSING" });
    await stolen.keyring.prepare();
    await stolen.keyring.install();
    await expect(stolen.boot()).rejects.toMatchObject({ code: "FEMTO_KEY_MISMATCH" });

    const renamed = machine.copy();
    const text = Buffer.from(renamed.disk.records[0] ?? []).toString();
    const other = `femtoclaw.local/${"0".repeat(32)}`;
    renamed.disk.objects.clear();
    renamed.disk.records[0] = Buffer.from(text.replaceAll(journal.origin, other));
    await expect(renamed.boot()).rejects.toMatchObject(corrupt("record 0"));
    renamed.disk.records[0] = Buffer.from(text.replace("log.created", "key.rotated"));
    await expect(renamed.boot()).rejects.toMatchObject(corrupt(""));
  });

  it("refuses a checkpoint that somebody else signed", async () => {
    const machine = new Machine();
    const { journal } = await machine.boot();
    await journal.close();
    const forger = new MemoryKeyring();
    const key = noteSigner(journal.origin, await forger.prepare());
    const note = (await (await machine.copy().boot()).journal.latestCheckpoint()) ?? "";
    machine.disk.objects.set(checkpointName(1), Buffer.from(signNote(`${note.split("\n\n")[0]}\n`, [key])));
    await expect(machine.boot()).rejects.toMatchObject(corrupt("no right signature by a key of this log"));
  });
});

function edited(bytes: Uint8Array | undefined): Buffer {
  return Buffer.from(
    Buffer.from(bytes ?? [])
      .toString()
      .replace('"content":"m', '"content":"M'),
  );
}

function forgeEdge(objects: Map<string, Uint8Array>): void {
  const edge = Buffer.from(objects.get(EDGE) ?? []);
  edge.writeUInt8(edge.readUInt8(20) ^ 1, 20);
  objects.set(EDGE, edge);
}
