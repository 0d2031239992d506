/** What a log says of the one before it, and what a journal refuses to begin or to go on with. */
import { createPublicKey } from "node:crypto";
import { linkSync, readFileSync } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  exportTiles,
  Journal,
  type JournalOptions,
  LeveldbStore,
  type LogSource,
  parentAt,
  standingOf,
  TilesSource,
  verifyLog,
  writeIdentity,
} from "@femtoclaw/journal";
import type { LogParent } from "@femtoclaw/protocol";
import { MemoryDisk, MemoryKeyring, MemoryStore } from "@femtoclaw/testing/in-memory";
import { describe, expect, it, onTestFinished } from "vitest";
import { originOf } from "../src/keys/key-chain.ts";
import { countingClock, keyringBeside, MACHINES, message, recordsOf, temporaryDirectory } from "./journal-fixture.ts";

const ENOUGH = 300;

async function opened(options: Partial<JournalOptions> = {}): Promise<Journal> {
  const journal = await Journal.open({
    store: new MemoryStore(new MemoryDisk()),
    keyring: new MemoryKeyring(),
    boot: "boot-1",
    clock: countingClock(),
    machines: MACHINES,
    ...options,
  });
  onTestFinished(() => journal.close());
  return journal;
}

async function filled(options: Partial<JournalOptions> = {}): Promise<Journal> {
  const journal = await opened(options);
  for (let n = 0; n < ENOUGH; n += 1) await journal.append(message(`message ${n}`));
  await journal.checkpoint();
  return journal;
}

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "femtoclaw-epochs-"));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

describe("a new log", () => {
  it("names the log before it, at any size, as the records of that log give it", async () => {
    const old = await filled();
    const vkey = await old.rotateKey();
    await old.append(message("by the new key"));
    for (const size of [1, 2, 255, 256, 257, old.size]) {
      const parent = await parentAt(old, size, "fork");
      // Whoever rebuilds the tree from that many records finds the same root.
      const again = await opened({ keyring: new MemoryKeyring() });
      expect(parent.origin).not.toBe(again.origin);
      const rebuilt = await verifyLog({ source: sourceOf(old, size) });
      expect({ size, root: rebuilt.root }).toEqual({ size, root: parent.root });
      expect(parent.vkey === vkey).toBe(size > ENOUGH + 1);
    }
    const parent: LogParent = await parentAt(old, 100, "fork");
    const child = await opened({ parent });
    expect((await recordsOf(child))[0]).toMatchObject({ type: "log.created", body: { parent } });
    expect((await recordsOf(old))[0]).toMatchObject({ body: { parent: null } });
  });

  it("is not begun with a key that may have signed another one", async () => {
    const keyring = new MemoryKeyring();
    const first = await opened({ keyring });
    const named: string[] = [];
    const onCreated = async (origin: string): Promise<void> => void named.push(origin);
    const second = await opened({ keyring, ownOrigin: null, onCreated });
    expect(second.origin).not.toBe(first.origin);
    const key = await keyring.current();
    const own = key === null ? null : originOf(createPublicKey(key));
    const third = await opened({ keyring, ownOrigin: own, onCreated });
    expect(named).toEqual([second.origin, third.origin]);
    expect(third.origin).toBe(own);
  });

  it("has no record before its name was heard", async () => {
    const disk = new MemoryDisk();
    const onCreated = () => Promise.reject(new Error("no room"));
    await expect(opened({ store: new MemoryStore(disk), onCreated })).rejects.toThrow("no room");
    expect(disk.records).toHaveLength(0);
  });
});

describe("a journal", () => {
  it.each([
    ["a later record", { boot: "boot-1", seq: 5_000 }],
    ["another record there", { boot: "boot-1", seq: 3 }],
    ["an empty one", { boot: "boot-1", seq: 0 }],
  ])("that lacks what was known of it (%s) is left alone", async (what, known) => {
    const disk = new MemoryDisk();
    const keyring = new MemoryKeyring();
    if (what !== "an empty one") await (await filled({ store: new MemoryStore(disk), keyring })).close();
    const before = disk.records.length;
    const options = { store: new MemoryStore(disk), keyring, known, boot: "boot-2" };
    await expect(opened(options)).rejects.toMatchObject({ code: "FEMTO_STATE_ROLLED_BACK" });
    expect(disk.records).toHaveLength(before);
  });

  it("in which another boot began where the known one did is left alone", async () => {
    const [disk, keyring] = [new MemoryDisk(), new MemoryKeyring()];
    const journal = await opened({ store: new MemoryStore(disk), keyring });
    const configuration = { path: null, sha256: "0".repeat(64), changed: false };
    const { seq } = await journal.append({
      type: "boot.started",
      session: null,
      execution: null,
      body: {
        ...{ version: "0.20.0", node: "v26.0.0", platform: "linux-x64", pid: 1, uid: 0, integrity: "unverified" },
        ...{ integrity_reason: "sources", previous_boot: null, previous_end: "none", configuration },
      },
    });
    await journal.close();
    const open = (boot: string) =>
      opened({ store: new MemoryStore(disk), keyring, known: { boot, seq }, boot: "boot-2" });
    await expect(open("boot-0")).rejects.toMatchObject({ code: "FEMTO_STATE_ROLLED_BACK" });
    await (await open("boot-1")).close();
  });
});

describe("an export that covers a record", () => {
  it("ends with the first checkpoint that does, and verifies", async () => {
    const journal = await filled();
    for (let n = 0; n < ENOUGH; n += 1) await journal.append(message("more"));
    await journal.checkpoint();
    const sizes = await journal.checkpoints();
    const where = await folder();
    for (const covering of new Set([1, 256, sizes[0] ?? 0, (sizes[0] ?? 0) + 1, journal.size])) {
      const out = join(where, String(covering));
      const { size } = await exportTiles(journal, out, covering);
      expect(size).toBe(sizes.find((signed) => signed >= covering));
      expect(await verifyLog({ source: new TilesSource(out) })).toMatchObject({ verdict: "verified", size });
    }
    await expect(exportTiles(journal, join(where, "beyond"), journal.size + 1)).rejects.toMatchObject({
      code: "FEMTO_JOURNAL_UNSIGNED",
    });
  });
});

describe("the keys of a copy", () => {
  it("are destroyed, but not those of the original that are the same file", async () => {
    const directory = await temporaryDirectory();
    const journal = await opened({ store: new LeveldbStore(directory), keyring: keyringBeside(directory) });
    await journal.close();
    const path = join(directory, "../keys/log.pem");
    const backup = join(directory, "../backup.pem");
    linkSync(path, backup);
    const pem = readFileSync(path);
    await keyringBeside(directory).destroy();
    expect(readFileSync(backup).equals(pem)).toBe(true);
    await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
    expect(await keyringBeside(directory).current()).toBeNull();
  });
});

describe("the identity of a directory", () => {
  it("is that of its machine where machines have names", async () => {
    const root = join(await temporaryDirectory(), "..");
    const folders = { root, journal: join(root, "journal"), into: root };
    const named = (name: string | null) => async (): Promise<string | null> => name;
    expect(await standingOf(root)).toEqual({ same: false, reason: "unidentified" });
    await writeIdentity(folders, { origin: "o", boot: null }, named("a"));
    expect(await standingOf(root, named("a"))).toMatchObject({ same: true, identity: { origin: "o", boot: null } });
    expect(await standingOf(root, named("b"))).toEqual({ same: false, reason: "copy" });
    // A container without a name is no other machine.
    expect(await standingOf(root, named(null))).toMatchObject({ same: true });
    await writeIdentity(folders, { origin: "o", boot: { boot: "b", seq: 7 } }, named(null));
    expect(await standingOf(root, named("b"))).toMatchObject({ same: true, identity: { boot: { seq: 7 } } });
  });
});

function sourceOf(journal: Journal, size: number): LogSource {
  return {
    records: () => journal.readStored(0, size),
    checkpoints: async () => [],
    checkpoint: async () => null,
    tile: async (level, index) => Buffer.concat(await journal.hashes(level, index * 256, 256)),
    leaves: async () => null,
    lastTile: async () => null,
    edgeFault: async () => undefined,
    prunedBefore: async () => 0,
    hasAllValues: false,
    values: async function* () {},
  };
}
