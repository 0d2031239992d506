/** Verifying what a stopped host left behind: on a copy, whatever was done to it, without touching it. */
import { hash } from "node:crypto";
import { existsSync } from "node:fs";
import {
  appendFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { copyForVerification, Journal, LeveldbStore, type LogVerdict, verifyDirectory } from "@femtoclaw/journal";
import { MemoryKeyring } from "@femtoclaw/testing/in-memory";
import fc from "fast-check";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { countingClock, MACHINES, message } from "../journal-fixture.ts";

const KEYRING = new MemoryKeyring();
let root = "";
let golden = "";
let intact: LogVerdict;
/** The newest checkpoint. */
let note: string;
let files: { readonly name: string; readonly bytes: Buffer }[] = [];

const openBoot = (boot: string, directory = golden): Promise<Journal> =>
  Journal.open({
    store: new LeveldbStore(directory),
    keyring: KEYRING,
    boot,
    clock: countingClock(),
    machines: MACHINES,
  });

/** Several tables, a log, tiles, checkpoints and a rotation. */
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "femtoclaw-verify-test-"));
  golden = join(root, "golden");
  await mkdir(golden);
  for (const boot of ["boot-1", "boot-2", "boot-3"]) {
    const journal = await openBoot(boot);
    await Promise.all(Array.from({ length: 200 }, (_, index) => journal.append(message("x".repeat(index), boot))));
    if (boot === "boot-2") await journal.rotateKey();
    note = await journal.checkpoint();
    await journal.close();
  }
  const names = (await readdir(golden)).filter((name) => /^(?:CURRENT|MANIFEST-\d+|\d+\.(?:log|ldb))$/.test(name));
  files = await Promise.all(names.map(async (name) => ({ name, bytes: await readFile(join(golden, name)) })));
  intact = await verifyDirectory(golden);
  return () => rm(root, { recursive: true, force: true });
});

async function digests(directory: string): Promise<Record<string, string>> {
  const entries = (await readdir(directory)).map(async (name) => {
    return [name, hash("sha256", await readFile(join(directory, name)))] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

async function verdictAfter(damage: (directory: string) => Promise<void>): Promise<LogVerdict> {
  const directory = join(root, "damaged");
  await rm(directory, { recursive: true, force: true });
  await cp(golden, directory, { recursive: true });
  await damage(directory);
  const before = await digests(directory);
  const verdict = await verifyDirectory(directory);
  expect(await digests(directory)).toEqual(before);
  return verdict;
}

const anyPlace = fc.tuple(fc.nat(), fc.nat()).map(([file, offset]) => {
  const chosen = files[file % files.length];
  if (chosen === undefined) throw new Error("the golden directory is empty");
  return { name: chosen.name, bytes: chosen.bytes, offset: offset % chosen.bytes.length };
});

const NOTHING = "it contains neither the files of a journal's database nor an exported tree with its checkpoint";

describe("verifyDirectory", () => {
  it("finds a log that nobody touched to be right, and leaves no copy behind", async () => {
    expect(intact).toMatchObject({ verdict: "verified", size: 602, signedSize: 602, unsignedTail: 0, fault: null });
    expect(intact.keys).toHaveLength(2);
    const pinned = intact.keys[0]?.vkey ?? "";
    // A folder of its own, because others verify at the same time.
    const temporary = join(root, "temporary");
    await mkdir(temporary);
    vi.stubEnv("TMPDIR", temporary);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect((await verifyDirectory(golden, { pinned })).pinned).toBe("matches");
    expect(await readdir(temporary)).toEqual([]);
  });

  it("with one byte changed anywhere refuses it, or it held nothing of the log", async () => {
    await fc.assert(
      fc.asyncProperty(anyPlace, fc.integer({ min: 1, max: 255 }), async ({ name, bytes, offset }, change) => {
        const verdict = await verdictAfter((directory) => {
          const damaged = Buffer.from(bytes);
          damaged.writeUInt8(damaged.readUInt8(offset) ^ change, offset);
          return writeFile(join(directory, name), damaged);
        });
        if (verdict.verdict === "verified") expect(verdict).toEqual(intact);
        // Whoever reads it looks for the file where it lies, and not in a copy that is gone.
        else
          expect(verdict).toMatchObject({
            verdict: "tampered",
            fault: { reason: expect.not.stringMatching(/femtoclaw-verify-[A-Za-z0-9]{6}\//) as string },
          });
      }),
      { numRuns: 150, seed: 20_260_101 },
    );
  });

  it("that was cut anywhere is refused, or is the log as it once was", async () => {
    await fc.assert(
      fc.asyncProperty(anyPlace, async ({ name, offset }) => {
        const verdict = await verdictAfter((directory) => truncate(join(directory, name), offset));
        if (verdict.verdict !== "verified") return;
        expect(name).toMatch(/\.log$/);
        expect(verdict.signedSize).toBeLessThanOrEqual(intact.signedSize);
      }),
      { numRuns: 60, seed: 20_260_102 },
    );
  });

  it("refuses missing files, links in a file's place, and bytes behind the end", async () => {
    for (const { name } of files) {
      expect((await verdictAfter((directory) => rm(join(directory, name)))).verdict, name).not.toBe("verified");
    }
    const log = files.find(({ name }) => name.endsWith(".log"))?.name ?? "";
    expect((await verdictAfter((directory) => appendFile(join(directory, log), "no log record at all"))).verdict).toBe(
      "tampered",
    );
    const linked = async (directory: string): Promise<void> => {
      await rm(join(directory, log));
      await symlink(join(golden, log), join(directory, log));
    };
    expect((await verdictAfter(linked)).fault?.reason).toContain("not a regular file");
  });

  it("finds an empty folder to be no log, and throws for one that is missing or in use", async () => {
    const empty = join(root, "empty");
    await mkdir(empty);
    const verdict = await verifyDirectory(empty);
    expect(verdict).toMatchObject({ verdict: "incomplete", fault: { reason: `${empty} holds no log: ${NOTHING}` } });
    // Somebody who named the wrong folder is told so, although a witness knows of a log.
    const held = [{ note, whose: "the witness file", witnessed: true, elsewhere: true }];
    const known = await verifyDirectory(empty, { held });
    expect(known).toMatchObject({ verdict: "tampered", fault: { reason: expect.stringContaining("holds no log: ") } });
    expect(known.fault?.reason).toMatch(/^the witness file vouches for \d+ records/);
    const missing = { code: "FEMTO_STATE_NOT_FOUND", message: `${join(root, "nowhere")} does not exist` };
    await expect(verifyDirectory(join(root, "nowhere"))).rejects.toMatchObject(missing);
    const used = join(root, "used");
    await cp(golden, used, { recursive: true });
    const journal = await openBoot("boot-9", used);
    await expect(verifyDirectory(used)).rejects.toMatchObject({ code: "FEMTO_JOURNAL_LOCKED" });
    await journal.append(message("the lock was not lost"));
    await journal.close();
    expect(await verifyDirectory(used)).toMatchObject({ verdict: "verified", size: 603 });
  });

  it("removes copies that a verification left when it was killed, and nothing else", async () => {
    const old = new Date(Date.now() - 2 * 3_600_000);
    const made = async (name: string, age: Date | null, fill?: (path: string) => Promise<void>): Promise<string> => {
      const path = join(tmpdir(), name);
      await mkdir(path);
      onTestFinished(() => rm(path, { recursive: true, force: true }));
      await (fill ?? ((folder) => writeFile(join(folder, "000001.log"), "x")))(path);
      if (age !== null) await utimes(path, age, age);
      return path;
    };
    const forgotten = await made("femtoclaw-verify-Forgot", old);
    const kept = [
      await made("femtoclaw-verify-Young1", null),
      await made("femtoclaw-verify-tests-Other1", old),
      await made("femtoclaw-verify-InUse1", null, (path) => cp(golden, path, { recursive: true })),
    ];
    const store = new LeveldbStore(kept.at(-1) ?? "");
    await store.open();
    await utimes(kept.at(-1) ?? "", old, old);
    expect(await verifyDirectory(golden)).toEqual(intact);
    await store.close();
    expect(existsSync(forgotten)).toBe(false);
    expect(kept.filter((path) => !existsSync(path))).toEqual([]);
  });

  it.each([
    ["ahead", 7_200_000],
    ["back", -7_200_000],
  ])("keeps a copy that is being made, and removes one that is not, where the clock was set %s", async (_, byMs) => {
    const left = join(tmpdir(), "femtoclaw-verify-Left01");
    await mkdir(join(left, "journal"), { recursive: true });
    onTestFinished(() => rm(left, { recursive: true, force: true }));
    await using copy = await copyForVerification(golden);
    const now = Date.now();
    const spy = vi.spyOn(Date, "now").mockReturnValue(now + byMs);
    onTestFinished(() => spy.mockRestore());
    expect(await verifyDirectory(golden)).toEqual(intact);
    expect(existsSync(left)).toBe(false);
    expect((await readdir(copy.directory)).sort()).toEqual(files.map(({ name }) => name).sort());
  });

  it("takes tables by a second name and copies the rest, for this user alone", async () => {
    await using copy = await copyForVerification(golden);
    const names = await readdir(copy.directory);
    expect(names.sort()).toEqual(files.map(({ name }) => name).sort());
    await appendFile(join(copy.directory, files.find(({ name }) => name.endsWith(".log"))?.name ?? ""), "mine");
    expect(await verifyDirectory(golden)).toEqual(intact);
  });
});
