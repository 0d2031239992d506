import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Level } from "level";
import { describe, expect, it } from "vitest";
import { LeveldbStore } from "../src/index.ts";
import { databaseFault } from "../src/store/leveldb/leveldb-database.ts";
import { groupKey, LAYOUT_KEY, seqOfKey, splitGroup } from "../src/store/leveldb/leveldb-layout.ts";
import { temporaryDirectory } from "./journal-fixture.ts";

async function putRaw(directory: string, key: string, value: Buffer): Promise<void> {
  const database = new Level<string, Buffer>(directory, { valueEncoding: "buffer", compression: false });
  await database.put(key, value);
  await database.close();
}

const refused = (code: string) => expect.objectContaining({ code });

describe("LeveldbStore", () => {
  it("refuses a layout that it does not know, and a database that is not its own", async () => {
    const later = await temporaryDirectory();
    await putRaw(later, LAYOUT_KEY, Buffer.from("femtoclaw journal 2\u001b[31m"));
    const error = await new LeveldbStore(later).open().catch((thrown: unknown) => thrown);
    expect(error).toEqual(refused("FEMTO_JOURNAL_FORMAT"));
    expect(String(error)).not.toContain("\u001b");
    // The layout before the tree, which was never released.
    const earlier = await temporaryDirectory();
    await putRaw(earlier, LAYOUT_KEY, Buffer.from("femtoclaw journal 0"));
    await expect(new LeveldbStore(earlier).open()).rejects.toEqual(refused("FEMTO_JOURNAL_FORMAT"));
    const foreign = await temporaryDirectory();
    await putRaw(foreign, "something", Buffer.from("else"));
    await expect(new LeveldbStore(foreign).open()).rejects.toEqual(refused("FEMTO_JOURNAL_CORRUPT"));
  });

  it("gives the directory back after it refused to open", async () => {
    const directory = await temporaryDirectory();
    await putRaw(directory, LAYOUT_KEY, Buffer.from("another"));
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await expect(new LeveldbStore(directory).open()).rejects.toEqual(refused("FEMTO_JOURNAL_FORMAT"));
    }
    await putRaw(directory, LAYOUT_KEY, Buffer.from("femtoclaw journal 1"));
    const store = new LeveldbStore(directory);
    expect(await store.open()).toEqual({ size: 0 });
    await store.close();
  });

  it("makes no directory and knows one under another name", async () => {
    const directory = await temporaryDirectory();
    const missing = new LeveldbStore(join(directory, "missing"));
    await expect(missing.open()).rejects.toEqual(refused("FEMTO_STATE_NOT_FOUND"));
    await mkdir(join(directory, "real"));
    await symlink(join(directory, "real"), join(directory, "alias"));
    const store = new LeveldbStore(join(directory, "real"));
    await store.open();
    await expect(new LeveldbStore(join(directory, "alias")).open()).rejects.toEqual(refused("FEMTO_JOURNAL_LOCKED"));
    await store.close();
  });

  it.each(["FEMTO_JOURNAL_CORRUPT", "FEMTO_JOURNAL_WRITE_FAILED"] as const)(
    "calls a disk that fails no damage, where %s would be said",
    (code) => {
      const failed = new Error("IO error: /state/journal/000003.log: Input/output error");
      expect(databaseFault(code, failed)).toMatchObject({
        code: "FEMTO_JOURNAL_WRITE_FAILED",
        fix: expect.stringContaining("Repair the disk") as string,
      });
    },
  );

  it("writes nothing once its lock was removed, and what was written before is there when it is opened again", async () => {
    const directory = await temporaryDirectory();
    const group = (expectedSize: number) => ({ expectedSize, records: [Buffer.from("one")], index: [], objects: [] });
    for (const replaced of [false, true]) {
      const store = new LeveldbStore(directory);
      const { size } = await store.open();
      await store.append(group(size));
      await rm(join(directory, "LOCK"));
      if (replaced) await writeFile(join(directory, "LOCK"), "");
      await expect(store.append(group(size + 1))).rejects.toThrow("another process may have opened the journal");
      await expect(store.append(group(size + 1))).rejects.toEqual(refused("FEMTO_JOURNAL_CLOSED"));
      await store.close();
    }
    const next = new LeveldbStore(directory);
    expect(await next.open()).toEqual({ size: 2 });
    await next.close();
  });

  it("refuses a commit group that is cut within a record", async () => {
    const directory = await temporaryDirectory();
    const first = new LeveldbStore(directory);
    await first.open();
    await first.append({ expectedSize: 0, records: [Buffer.from("whole")], index: [], objects: [] });
    await first.close();
    await putRaw(directory, groupKey(1), Buffer.from([0, 0, 0, 9, 1]));
    await expect(new LeveldbStore(directory).open()).rejects.toEqual(refused("FEMTO_JOURNAL_CORRUPT"));
    for (const cut of [1, 3]) expect(() => splitGroup(0, Buffer.alloc(cut))).toThrow(/ends within a record/);
    expect(() => seqOfKey("r0000")).toThrow(refused("FEMTO_JOURNAL_CORRUPT"));
  });
});
