/** Damages stored directories in every way a disk can, and allows two outcomes: refusal, or nothing lost. */
import { hash } from "node:crypto";
import { appendFile, chmod, cp, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { copyForVerification, Journal, LeveldbStore } from "@femtoclaw/journal";
import { MemoryKeyring } from "@femtoclaw/testing/in-memory";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { checkpointName } from "../src/records/object-name.ts";
import { inspectLeveldbFiles } from "../src/store/leveldb/leveldb-files.ts";
import { scanLog } from "../src/store/leveldb/leveldb-log.ts";
import {
  CountingProjector,
  countingClock,
  MACHINES,
  message,
  storedTexts,
  temporaryDirectory,
} from "./journal-fixture.ts";

const DAMAGE = { numRuns: 400, seed: 20_260_101 };

interface Contents {
  readonly records: readonly string[];
  readonly located: readonly number[];
  readonly objects: readonly string[];
}

async function contentsOf(directory: string): Promise<Contents> {
  const store = new LeveldbStore(directory);
  const { size } = await store.open();
  try {
    const objects: string[] = [];
    for (const name of await store.objects("")) {
      objects.push(`${name} ${Buffer.from((await store.object(name)) ?? []).toString("latin1")}`);
    }
    return { records: await storedTexts(store.read(0, size)), located: await store.locate("execution-1"), objects };
  } finally {
    await store.close();
  }
}

/** Digests of everything that LevelDB relies on; LOG is its diary. */
async function digests(directory: string): Promise<Record<string, string>> {
  const names = (await readdir(directory)).filter((name) => !name.startsWith("LOG"));
  const entries = names.map(async (name) => [name, hash("sha256", await readFile(join(directory, name)))] as const);
  return Object.fromEntries(await Promise.all(entries));
}

let golden = "";
let files: { readonly name: string; readonly bytes: Buffer }[] = [];
let intact: Contents;

/** A directory with several tables, a log of several blocks, and records of all sizes. */
async function build(directory: string): Promise<void> {
  const keyring = new MemoryKeyring();
  for (const boot of ["boot-1", "boot-2", "boot-3", "boot-4"]) {
    const journal = await Journal.open({
      store: new LeveldbStore(directory),
      keyring,
      boot,
      clock: countingClock(),
      machines: MACHINES,
      projector: new CountingProjector(),
      snapshotEveryRecords: 5,
    });
    for (const length of [1, 40, 9_000, 40_000, 300, 2, 0]) {
      await journal.append(message("x".repeat(length), `execution-${length % 3}`));
    }
    await Promise.all(["a", "b", "c"].map((content) => journal.append(message(content))));
    await journal.close();
  }
}

beforeAll(async () => {
  golden = await mkdtemp(join(tmpdir(), "femtoclaw-golden-"));
  await build(golden);
  const names = (await readdir(golden)).filter((name) => /^(?:CURRENT|MANIFEST-\d+|\d+\.(?:log|ldb))$/.test(name));
  files = await Promise.all(names.map(async (name) => ({ name, bytes: await readFile(join(golden, name)) })));
  const copy = `${golden}-copy`;
  await cp(golden, copy, { recursive: true });
  intact = await contentsOf(copy);
  await rm(copy, { recursive: true });
  return () => rm(golden, { recursive: true });
});

async function outcomeOf(damageIt: (directory: string) => Promise<void>): Promise<Contents | "refused"> {
  const directory = `${golden}-damaged`;
  await rm(directory, { recursive: true, force: true });
  await cp(golden, directory, { recursive: true });
  try {
    await damageIt(directory);
    const before = await digests(directory);
    try {
      return await contentsOf(directory);
    } catch (error) {
      expect(error).toMatchObject({ code: "FEMTO_JOURNAL_CORRUPT" });
      expect(await digests(directory)).toEqual(before);
      return "refused";
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const anyPlace = fc.tuple(fc.nat(), fc.nat()).map(([file, offset]) => {
  const chosen = files[file % files.length];
  if (chosen === undefined) throw new Error("the golden directory is empty");
  return { name: chosen.name, bytes: chosen.bytes, offset: offset % chosen.bytes.length };
});

describe("a damaged directory", () => {
  it("has what the corpus needs", () => {
    const kinds = files.map(({ name }) => name.replace(/\d+/, "N")).sort();
    expect(kinds.filter((kind) => kind === "N.ldb").length).toBeGreaterThanOrEqual(3);
    expect(kinds).toEqual(expect.arrayContaining(["CURRENT", "MANIFEST-N", "N.log"]));
    expect(intact.records).toHaveLength(51);
    expect(intact.objects.filter((object) => object.startsWith("snapshot/")).length).toBeGreaterThan(4);
  });

  it("with one byte changed anywhere is refused, untouched, or gives back everything", async () => {
    await fc.assert(
      fc.asyncProperty(anyPlace, fc.integer({ min: 1, max: 255 }), async ({ name, bytes, offset }, change) => {
        const outcome = await outcomeOf((directory) => {
          const damaged = Buffer.from(bytes);
          damaged.writeUInt8(damaged.readUInt8(offset) ^ change, offset);
          return writeFile(join(directory, name), damaged);
        });
        if (outcome !== "refused") expect(outcome).toEqual(intact);
      }),
      DAMAGE,
    );
  });

  it("with a stretch of zeros anywhere is refused or gives back everything", async () => {
    await fc.assert(
      fc.asyncProperty(anyPlace, fc.integer({ min: 1, max: 5_000 }), async ({ name, bytes, offset }, length) => {
        const outcome = await outcomeOf((directory) =>
          writeFile(join(directory, name), Buffer.from(bytes).fill(0, offset, Math.min(offset + length, bytes.length))),
        );
        if (outcome !== "refused") expect(outcome).toEqual(intact);
      }),
      DAMAGE,
    );
  });

  it("that was cut anywhere is refused or gives back whole groups from the beginning", async () => {
    await fc.assert(
      fc.asyncProperty(anyPlace, async ({ name, offset }) => {
        const outcome = await outcomeOf((directory) => truncate(join(directory, name), offset));
        if (outcome === "refused") return;
        expect(name).toMatch(/\.log$/);
        expect(outcome.records).toEqual(intact.records.slice(0, outcome.records.length));
        expect(intact.objects).toEqual(expect.arrayContaining([...outcome.objects]));
      }),
      DAMAGE,
    );
  });

  it("refuses every single bit of CURRENT", async () => {
    const current = files.find(({ name }) => name === "CURRENT")?.bytes ?? Buffer.alloc(0);
    expect(current.toString()).toMatch(/^MANIFEST-\d+\n$/);
    for (let bit = 0; bit < current.length * 8; bit += 1) {
      const damaged = Buffer.from(current);
      damaged.writeUInt8(damaged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(await outcomeOf((directory) => writeFile(join(directory, "CURRENT"), damaged))).toBe("refused");
    }
  });

  it("refuses every single bit of the last headers of the log, whose length no checksum covers", async () => {
    const log = files.find(({ name }) => name.endsWith(".log"));
    const bytes = log?.bytes ?? Buffer.alloc(0);
    const offsets: number[] = [];
    scanLog("log", bytes, ({ offset }) => offsets.push(offset));
    expect(offsets.length).toBeGreaterThanOrEqual(3);
    for (const offset of offsets.slice(-3)) {
      for (let bit = 0; bit < 7 * 8; bit += 1) {
        const damaged = Buffer.from(bytes);
        const at = offset + (bit >> 3);
        damaged.writeUInt8(damaged.readUInt8(at) ^ (1 << (bit & 7)), at);
        const outcome = await outcomeOf((directory) => writeFile(join(directory, log?.name ?? ""), damaged));
        expect(outcome, `byte ${at}, bit ${bit & 7}`).toBe("refused");
      }
    }
  });

  it("without any one of its files is refused and not laid out anew", async () => {
    for (const { name } of files) {
      expect(await outcomeOf((directory) => rm(join(directory, name))), name).toBe("refused");
    }
  });

  it("that this process may not read is called that, and not damaged", async () => {
    const directory = await temporaryDirectory();
    await cp(golden, directory, { recursive: true });
    for (const name of ["CURRENT", files.find((file) => file.name.endsWith(".log"))?.name ?? "", ""]) {
      const before = (await stat(join(directory, name))).mode;
      await chmod(join(directory, name), 0);
      // For root no mode matters; for whom it would run as otherwise it does.
      const isRoot = process.geteuid?.() === 0;
      if (isRoot) await chmod(directory, name === "" ? 0 : 0o755);
      if (isRoot) process.seteuid?.(65_534);
      try {
        for (const read of [inspectLeveldbFiles, copyForVerification]) {
          await expect(read(directory)).rejects.toMatchObject({
            code: "FEMTO_STATE_OWNER",
            message: expect.stringContaining("EACCES"),
            fix: expect.stringContaining("Nothing is damaged"),
          });
        }
      } finally {
        if (isRoot) process.seteuid?.(0);
        await chmod(join(directory, name), before);
      }
    }
  });

  it("names file and byte", async () => {
    const log = files.find(({ name }) => name.endsWith(".log"));
    const directory = await temporaryDirectory();
    await cp(golden, directory, { recursive: true });
    const damaged = Buffer.from(log?.bytes ?? []);
    damaged.writeUInt8(damaged.readUInt8(20) ^ 1, 20);
    await writeFile(join(directory, log?.name ?? ""), damaged);
    await expect(contentsOf(directory)).rejects.toThrow(`${log?.name}, byte 0: the checksum`);
  });

  it("with a torn log and another behind it is refused, unless that one is empty", async () => {
    const log = files.find(({ name }) => name.endsWith(".log"));
    const next = join("", `${String(Number.parseInt(log?.name ?? "", 10) + 1).padStart(6, "0")}.log`);
    const torn = (log?.bytes.length ?? 0) - 3;
    const withNext = (bytes: Buffer) =>
      outcomeOf(async (directory) => {
        await truncate(join(directory, log?.name ?? ""), torn);
        await writeFile(join(directory, next), bytes);
      });
    expect(await withNext(log?.bytes ?? Buffer.alloc(0))).toBe("refused");
    const recovered = await withNext(Buffer.alloc(0));
    // The last thing that was written is the checkpoint of the end, by itself.
    const objects = intact.objects.filter((object) => !object.startsWith(checkpointName(intact.records.length)));
    expect(objects).toHaveLength(intact.objects.length - 1);
    expect(recovered).toEqual({ ...intact, objects });
  });

  it("may hold what a crash leaves behind: an unfinished table, a temporary file, an old log", async () => {
    const outcome = await outcomeOf(async (directory) => {
      await writeFile(join(directory, "000099.ldb"), "half a tab");
      await writeFile(join(directory, "000098.dbtmp"), "MANI");
      await writeFile(join(directory, "000001.log"), "obsolete and torn");
    });
    expect(outcome).toEqual(intact);
  });

  it("is checked in its newest tables up to the budget; older ones have only to be there", async () => {
    const directory = await temporaryDirectory();
    await cp(golden, directory, { recursive: true });
    const tables = files
      .filter(({ name }) => name.endsWith(".ldb"))
      .sort((left, right) => (left.name < right.name ? -1 : 1));
    const [oldest, newest] = [tables[0], tables.at(-1)];
    const damaged = Buffer.from(oldest?.bytes ?? []);
    damaged.writeUInt8(damaged.readUInt8(9) ^ 1, 9);
    await writeFile(join(directory, oldest?.name ?? ""), damaged);
    const newestBytes = newest?.bytes.length ?? 0;
    expect(await inspectLeveldbFiles(directory, newestBytes)).toEqual({ fresh: false });
    await expect(inspectLeveldbFiles(directory)).rejects.toMatchObject({ code: "FEMTO_JOURNAL_CORRUPT" });
    await rm(join(directory, oldest?.name ?? ""));
    await expect(inspectLeveldbFiles(directory, newestBytes)).rejects.toThrow("the table is missing");
    await writeFile(join(directory, oldest?.name ?? ""), damaged);
    await writeFile(join(directory, newest?.name ?? ""), Buffer.alloc(newestBytes));
    await expect(inspectLeveldbFiles(directory, 1)).rejects.toThrow(newest?.name);
  });

  it("with bytes behind the end of a log is refused", async () => {
    const log = files.find(({ name }) => name.endsWith(".log"));
    for (const tail of [Buffer.alloc(7), Buffer.alloc(40_000), Buffer.from("no log record at all")]) {
      expect(await outcomeOf((directory) => appendFile(join(directory, log?.name ?? ""), tail))).toBe("refused");
    }
  });
});
