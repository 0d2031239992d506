/** Kills a writer without warning and demands every record that it had been told was durable. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { testedProgram } from "@femtoclaw/testing";
import { describe, expect, it } from "vitest";
import { checkJournal, Journal, LeveldbStore, verifyDirectory } from "../src/index.ts";
import { collect, countingClock, keyringBeside, MACHINES, message, temporaryDirectory } from "./journal-fixture.ts";

const WRITER = testedProgram(join(import.meta.dirname, "append-until-killed.ts"));

function startWriter(directory: string, boot: string): ChildProcess {
  return spawn(process.execPath, [WRITER, directory, boot], { stdio: ["ignore", "pipe", "inherit"] });
}

/** Lines that the writer printed whole before it was killed. */
async function killAfter(child: ChildProcess, acknowledgements: number): Promise<string[]> {
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    output += chunk.toString();
    if (output.split("\n").length > acknowledgements) child.kill("SIGKILL");
  });
  await once(child, "close");
  return output.split("\n").slice(0, -1);
}

const openBoot = (directory: string, boot: string): Promise<Journal> =>
  Journal.open({
    store: new LeveldbStore(directory),
    keyring: keyringBeside(directory),
    boot,
    clock: countingClock(),
    machines: MACHINES,
  });

describe("a writer that is killed", () => {
  it("has lost nothing that it acknowledged, over several lives", async () => {
    const directory = await temporaryDirectory();
    const acknowledged = new Map<number, string>();
    for (let round = 0; round < 8; round += 1) {
      const lines = await killAfter(startWriter(directory, `boot-${round}`), 40 + ((round * 367) % 750));
      for (const line of lines) {
        const [seq = "", content = ""] = line.split(" ");
        acknowledged.set(Number(seq), content);
      }
      const journal = await openBoot(directory, `check-${round}`);
      const contents = new Map<number, string>();
      for await (const stored of journal.readFrom(0)) {
        const { record } = await journal.withValues(stored);
        if (record.type === "message.recorded") contents.set(record.seq, record.body.content ?? "");
      }
      for (const [seq, content] of acknowledged)
        expect(contents.get(seq)?.startsWith(content), `record ${seq}`).toBe(true);
      expect((await checkJournal(journal)).fault).toBeNull();
      const located = await journal.locate(`boot-${round}-1`);
      const own = (await collect(journal.readFrom(0))).filter(({ execution }) => execution === `boot-${round}-1`);
      expect(located).toEqual(own.map(({ seq }) => seq));
      await journal.append(message("the journal goes on"));
      await journal.close();
      // Records, tiles and edge are of one batch, so no crash parts them: the tree that went on is that of the records.
      const { verdict, signedSize } = await verifyDirectory(directory);
      expect([verdict, signedSize]).toEqual(["verified", journal.size]);
    }
    expect(acknowledged.size).toBeGreaterThan(1_000);
  });

  it("keeps others out while it lives, also those that try twice", async () => {
    const directory = await temporaryDirectory();
    const child = startWriter(directory, "boot-1");
    const ended = once(child, "close");
    try {
      await once(child.stdout ?? child, "data");
      child.stdout?.resume();
      for (let attempt = 0; attempt < 10; attempt += 1) {
        await expect(openBoot(directory, "rival")).rejects.toMatchObject({ code: "FEMTO_JOURNAL_LOCKED" });
      }
      // Damage that is found in a directory in use may be a file that is being replaced.
      const [current, diary] = [join(directory, "CURRENT"), await readFile(join(directory, "LOG"))];
      const intact = await readFile(current);
      await writeFile(current, "MANIFEST");
      await expect(openBoot(directory, "rival")).rejects.toMatchObject({ code: "FEMTO_JOURNAL_LOCKED" });
      expect((await readFile(join(directory, "LOG"))).subarray(0, diary.length).equals(diary)).toBe(true);
      child.kill("SIGKILL");
      await ended;
      await expect(openBoot(directory, "rival")).rejects.toMatchObject({ code: "FEMTO_JOURNAL_CORRUPT" });
      await writeFile(current, intact);
    } finally {
      child.kill("SIGKILL");
      await ended;
    }
    const journal = await openBoot(directory, "boot-2");
    expect((await checkJournal(journal)).fault).toBeNull();
    await journal.close();
  });

  it("or whose disk takes no more bytes keeps what it acknowledged, and stops", async () => {
    const directory = await temporaryDirectory();
    // The limit on the size of files makes LevelDB's own write fail in the middle of a group.
    const limited = ["-c", 'ulimit -f 3000; exec "$0" "$@"', process.execPath, WRITER, directory, "boot-1"];
    const child = spawn("sh", limited, { stdio: ["ignore", "pipe", "pipe"] });
    const complaints = text(child.stderr);
    const lines = (await text(child.stdout)).split("\n").slice(0, -1);
    expect(await complaints).toContain("FEMTO_JOURNAL_WRITE_FAILED");
    expect(lines.length).toBeGreaterThan(50);

    const journal = await openBoot(directory, "boot-2");
    const records = await collect(journal.readFrom(0));
    const whole = await Promise.all(records.map(async (record) => (await journal.withValues(record)).record));
    const contents = whole.map(({ body }) => ("content" in body ? body.content : ""));
    for (const line of lines) {
      const [seq = "", content = ""] = line.split(" ");
      expect(contents[Number(seq)]?.startsWith(content), `record ${seq}`).toBe(true);
    }
    expect((await checkJournal(journal)).fault).toBeNull();
    expect((await journal.append(message("the journal goes on"))).seq).toBe(contents.length);
    await journal.close();
  });

  it("still holds the lock after its own process tried to open the directory again", async () => {
    const directory = await temporaryDirectory();
    const journal = await openBoot(directory, "boot-1");
    await expect(openBoot(directory, "boot-1b")).rejects.toMatchObject({ code: "FEMTO_JOURNAL_LOCKED" });
    const child = spawn(process.execPath, [WRITER, directory, "boot-2"], { stdio: ["ignore", "ignore", "pipe"] });
    let complaint = "";
    child.stderr.on("data", (chunk: Buffer) => {
      complaint += chunk.toString();
    });
    await once(child, "close");
    expect(complaint).toContain("FEMTO_JOURNAL_LOCKED");
    await journal.append(message("still here"));
    await journal.close();
  });
});
