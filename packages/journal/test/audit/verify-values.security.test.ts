/** What can be done to the values beside the records, and what a verifier and a reader make of it. */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LIMITS, type RecordActor } from "@femtoclaw/protocol";
import { MemoryDisk, MemoryStore } from "@femtoclaw/testing/in-memory";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import {
  exportTiles,
  exportValues,
  type Journal,
  type LogVerdict,
  StoreSource,
  TilesSource,
  verifyLog,
} from "../../src/index.ts";
import { blobName } from "../../src/records/object-name.ts";
import { message } from "../journal-fixture.ts";
import { Machine } from "../machine.ts";

const OPERATOR: RecordActor = { principal: "uid:0", agent: null, channel: "operator", delegation: null };
const LARGE = "value ".repeat(LIMITS.recordedValueChars);
/** Records 2 and 4 commit to a value; 1 and 3 hold what they say. */
const CONTENTS = ["small", `${LARGE}2`, "small", `${LARGE}4`];

let log: Machine;
let journal: Journal;

beforeEach(async () => {
  log = new Machine();
  ({ journal } = await log.boot());
  for (const [index, content] of CONTENTS.entries()) await journal.append(message(content, `execution-${index + 1}`));
});

const erase = (seq: number, path?: string) =>
  journal.erase({ seq, ...(path === undefined ? {} : { path }), reason: "the subject asked for it", actor: OPERATOR });

async function verdict(): Promise<LogVerdict> {
  await journal.close();
  const store = new MemoryStore(Object.assign(new MemoryDisk(), log.disk, { opened: false }));
  const { size } = await store.open();
  return await verifyLog({ source: new StoreSource(store, size) });
}

describe("a store", () => {
  it("tells once of a value that several erase at the same time", async () => {
    const found = await Promise.allSettled([erase(2), erase(2), erase(2)]);
    expect(found.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected", "rejected"]);
    expect(await verdict()).toMatchObject({ verdict: "verified", fault: null });
  });

  it("verifies with every value in its place", async () => {
    expect(await verdict()).toMatchObject({ verdict: "verified", fault: null });
  });

  it("verifies after an erasure that a record tells of, and keeps each record to the byte", async () => {
    const before = Buffer.from(log.disk.records[2] ?? []);
    const { record } = await erase(2);
    expect(record).toMatchObject({
      type: "values.erased",
      actor: OPERATOR,
      execution: "execution-2",
      body: { seq: 2, paths: ["/content"], reason: "the subject asked for it" },
    });
    expect(before.equals(log.disk.records[2] ?? Buffer.alloc(0))).toBe(true);
    const { size, verdict: found, fault } = await verdict();
    expect({ size, found, fault }).toEqual({ size: 6, found: "verified", fault: null });
  });

  const damages: Readonly<Record<string, { seq: number; damage: (disk: MemoryDisk) => unknown }>> = {
    "a value that was changed": {
      seq: 4,
      damage: (disk) => {
        const blob = Buffer.from(disk.objects.get(blobName(4, 0)) ?? []);
        blob.writeUInt8(blob.readUInt8(40) ^ 1, 40);
        disk.objects.set(blobName(4, 0), blob);
      },
    },
    "a salt that was changed": {
      seq: 2,
      damage: (disk) => {
        const blob = Buffer.from(disk.objects.get(blobName(2, 0)) ?? []);
        blob.writeUInt8(blob.readUInt8(0) ^ 1, 0);
        disk.objects.set(blobName(2, 0), blob);
      },
    },
    "two values that were swapped": {
      seq: 2,
      damage: ({ objects }) => {
        const [two, four] = [objects.get(blobName(2, 0)), objects.get(blobName(4, 0))];
        objects.set(blobName(2, 0), four ?? Buffer.alloc(0));
        objects.set(blobName(4, 0), two ?? Buffer.alloc(0));
      },
    },
    "a value that was deleted without a record of it": {
      seq: 2,
      damage: (disk) => disk.objects.delete(blobName(2, 0)),
    },
    "a value beside a record that commits to nothing": {
      seq: 3,
      damage: (disk) => disk.objects.set(blobName(3, 0), Buffer.alloc(40)),
    },
    "one value too many": { seq: 4, damage: (disk) => disk.objects.set(blobName(4, 1), Buffer.alloc(40)) },
    "a value beside a record that does not exist": {
      seq: 99,
      damage: (disk) => disk.objects.set(blobName(99, 0), Buffer.alloc(40)),
    },
    // Where it belongs nobody can tell, so everything before it stands.
    "a value under a name of no place": { seq: 5, damage: (disk) => disk.objects.set("blob/2", Buffer.alloc(40)) },
  };
  for (const [name, { seq, damage }] of Object.entries(damages)) {
    it(`does not verify with ${name}`, async () => {
      await journal.close();
      damage(log.disk);
      const { verdict: found, fault } = await verdict();
      expect(found).toBe("tampered");
      expect(fault?.seq).toBe(seq);
    });
  }

  it("does not verify with a value that came back after its erasure", async () => {
    const kept = log.disk.objects.get(blobName(2, 0)) ?? Buffer.alloc(0);
    const { seq } = await erase(2);
    log.disk.objects.set(blobName(2, 0), kept);
    expect(await verdict()).toMatchObject({ verdict: "tampered", fault: { seq } });
  });
});

describe("an erasure", () => {
  it("is refused where nothing is kept, and twice, and leaves no record then", async () => {
    const { size } = journal;
    await expect(erase(1)).rejects.toMatchObject({ code: "FEMTO_VALUE_NOT_FOUND" });
    await expect(erase(2, "/con")).rejects.toMatchObject({ code: "FEMTO_VALUE_NOT_FOUND" });
    await expect(erase(99)).rejects.toMatchObject({ code: "FEMTO_VALUE_NOT_FOUND" });
    expect(journal.size).toBe(size);
    await erase(2, "/content");
    await expect(erase(2)).rejects.toMatchObject({ code: "FEMTO_VALUE_NOT_FOUND" });
    expect(journal.size).toBe(size + 1);
  });

  it("is whole or nothing when the disk fails in the middle of it", async () => {
    await journal.close();
    const { journal: again, store } = await log.boot();
    store.inject({ kind: "EIO" });
    journal = again;
    await expect(erase(2)).rejects.toMatchObject({ code: "FEMTO_JOURNAL_WRITE_FAILED" });
    expect(log.disk.objects.has(blobName(2, 0))).toBe(true);
    expect(log.disk.records.length).toBe(5);
  });

  it("says where values were, to whoever reads the record", async () => {
    await erase(4);
    const read = async (seq: number) => {
      for await (const record of journal.read(seq, seq + 1)) return await journal.withValues(record);
      return undefined;
    };
    expect(await read(4)).toMatchObject({ record: { body: { content: null } }, erased: ["/content"] });
    expect(await read(2)).toMatchObject({ record: { body: { content: CONTENTS[1] } }, erased: [] });
  });
});

describe("an export", () => {
  let folder: string;
  beforeEach(async () => {
    folder = join(mkdtempSync(join(tmpdir(), "femtoclaw-values-")), "log");
    onTestFinished(() => rmSync(join(folder, ".."), { recursive: true, force: true }));
    await journal.checkpoint();
  });
  const verified = () => verifyLog({ source: new TilesSource(folder) });
  const values = () => `${folder}.values.jsonl`;
  const aboutValues = ({ caveats }: LogVerdict) => caveats.filter((caveat) => caveat.includes("values"));

  it("carries no value by itself, and says so when it is verified", async () => {
    await exportTiles(journal, folder);
    for (const path of readdirSync(join(folder, ".."), { recursive: true, withFileTypes: true })) {
      if (path.isFile()) expect(readFileSync(join(path.parentPath, path.name)).includes("value value")).toBe(false);
    }
    const found = await verified();
    expect(found).toMatchObject({ verdict: "verified", fault: null });
    expect(aboutValues(found)[0]).toMatch(/^2 values /);
  });

  it("carries the values apart when asked to, without those that were erased, and they are checked", async () => {
    await erase(2);
    await journal.checkpoint();
    const { size } = await exportTiles(journal, folder);
    expect(await exportValues(journal, size, folder)).toBe(1);
    expect(readFileSync(values(), "utf8")).toContain(Buffer.from(CONTENTS[3] ?? "").toString("base64"));
    expect(readFileSync(values(), "utf8")).not.toContain(Buffer.from(CONTENTS[1] ?? "").toString("base64"));
    const found = await verified();
    expect({ verdict: found.verdict, about: aboutValues(found) }).toEqual({ verdict: "verified", about: [] });
    await expect(exportValues(journal, size, folder)).rejects.toMatchObject({ code: "FEMTO_EXPORT_FAILED" });
  });

  it("does not verify with a value of another text, a stray one, or a line that is none", async () => {
    const { size } = await exportTiles(journal, folder);
    await exportValues(journal, size, folder);
    const lines = readFileSync(values(), "utf8");
    const other = Buffer.from(`${LARGE}5`).toString("base64");
    const forgeries = [
      lines.replace(Buffer.from(CONTENTS[3] ?? "").toString("base64"), other),
      lines.replace('"seq":2', '"seq":1'),
      `${lines}${lines.slice(0, lines.indexOf("\n") + 1)}`,
      lines.slice(0, -1),
      `${lines}{"seq":9}\n`,
      `${lines}null\n`,
      `${lines}[\n`,
    ];
    for (const forged of forgeries) {
      writeFileSync(values(), forged);
      expect((await verified()).verdict).toBe("tampered");
    }
    // A file that is left open ends the process once it is collected.
    const openFiles = () => readdirSync("/proc/self/fd").map((name) => `/proc/self/fd/${name}`);
    await expect
      .poll(() => openFiles().filter((path) => existsSync(path) && readlinkSync(path) === realpathSync(values())))
      .toEqual([]);
  });
});
