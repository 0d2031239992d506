/** The witness that is a file, against whoever cuts, edits, replaces or shares it, and against logs that were rolled back. */
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WitnessAnswer } from "@femtoclaw/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileWitness } from "../../src/witness/file-witness.ts";
import { OfferedLog } from "./offered-log.ts";

let folder = "";
let path = "";
let log: OfferedLog;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "femtoclaw-witness-"));
  path = join(folder, "witness.jsonl");
  log = await (await OfferedLog.open()).grow(9);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const witness = () => new FileWitness("elsewhere", path);
/** Null where there is no file to read. */
const content = () =>
  statSync(path, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(path, "utf8") : null;
const lines = () => readFileSync(path, "utf8").split("\n").slice(0, -1);
const take = async (from: OfferedLog, known = 0): Promise<WitnessAnswer> =>
  await witness().take(await from.offer(known));

async function contradicts(from: OfferedLog, words: string, known = 0): Promise<void> {
  const before = content();
  expect(await take(from, known)).toMatchObject({
    taken: false,
    contradicts: true,
    reason: expect.stringContaining(words),
  });
  expect(content()).toBe(before);
}

async function fails(words: string): Promise<void> {
  const before = content();
  const answer = await take(log).catch((error: Error) => ({ taken: false, contradicts: false, reason: error.message }));
  expect(answer).toMatchObject({ taken: false, contradicts: false, reason: expect.stringContaining(words) });
  expect(content()).toBe(before);
}

describe("a witness file", () => {
  it("gets a line for each checkpoint that is new to it, and none twice", async () => {
    expect(await take(log)).toMatchObject({ taken: true });
    expect(await take(log, 10)).toMatchObject({ taken: true });
    await log.grow(300);
    expect(await take(log, 10)).toMatchObject({ taken: true });
    const notes = lines().map((line) => (JSON.parse(line) as { checkpoint: string }).checkpoint);
    expect(notes.map((note) => note.split("\n")[1])).toEqual(["10", "310"]);
    expect(notes.at(-1)).toBe((await log.offer()).note);
  });

  it("goes on behind a line that a crash cut off", async () => {
    await take(log);
    appendFileSync(path, '{"checkpoint":"femtoclaw.lo');
    await log.grow(1);
    expect(await take(log, 10)).toMatchObject({ taken: true });
    expect(lines()).toHaveLength(3);
    await log.grow(1);
    expect(await take(log, 11)).toMatchObject({ taken: true });
  });

  it("takes no log that was rolled back, however it goes on", async () => {
    const backup = await log.copy();
    await take(await log.grow(10));
    await contradicts(backup, "holds 20 records, and the log 10: the log was rolled back");
    await backup.grow(10, "another past");
    await contradicts(backup, "does not continue the 20 records");
    await backup.grow(10, "another past");
    await contradicts(backup, "does not continue the 20 records");
  });

  it("takes one of two hosts with copies of one log, and never both", async () => {
    await take(log);
    const copy = await log.copy();
    await Promise.all([log.grow(5, "here"), copy.grow(7, "there")]);
    const answers = await Promise.all([take(log, 10), take(copy, 10)]);
    const taken = answers.filter((answer) => answer.taken);
    expect(taken.length).toBeLessThan(2);
    const sizes = lines().map((line) => Number((JSON.parse(line) as { checkpoint: string }).checkpoint.split("\n")[1]));
    // Either one came first and the other was refused, or both appended at once: then neither may go on.
    if (sizes.length === 3) expect(taken).toEqual([]);
    else expect(sizes).toHaveLength(2);
  });

  it("takes no other log", async () => {
    await take(log);
    await contradicts(await OfferedLog.open(), "is not one of this log");
  });

  it("that was cut, emptied, edited or taken away is noticed", async () => {
    await take(log);
    const first = readFileSync(path);
    await take(await log.grow(10), 10);
    truncateSync(path, first.length);
    await contradicts(log, "holds 10 records, and held 20 before: it was cut", 20);
    truncateSync(path, 0);
    await contradicts(log, "its file is empty, and held 20 records", 20);
    rmSync(path);
    await contradicts(log, "its file is gone, and held 20 records", 20);
    writeFileSync(path, first.toString().replace("\\n10\\n", "\\n11\\n"));
    await contradicts(log, "is not one of this log");
  });

  it.each(["not a checkpoint\n", '{"checkpoint":5}\n', "[]\n", "\0".repeat(1_000)])(
    "that holds %j is left alone",
    async (content) => {
      writeFileSync(path, content);
      await fails("holds no checkpoint and is not empty");
    },
  );

  it("that is a link, a folder, a pipe or another user's is not used", async () => {
    const target = join(folder, "target");
    writeFileSync(target, "");
    symlinkSync(target, path);
    await fails("cannot be opened");
    expect(readFileSync(target, "utf8")).toBe("");
    rmSync(path);
    symlinkSync(join(folder, "nowhere"), path);
    await fails("cannot be opened");
    rmSync(path);
    mkdirSync(path);
    await fails("cannot be opened");
    rmSync(path, { recursive: true });
    execFileSync("mkfifo", [path]);
    await fails("is not a regular file");
    rmSync(path);
    writeFileSync(path, "");
    chmodSync(path, 0o666);
    await fails("can be changed by others (mode 666)");
    chmodSync(path, 0o600);
    if (process.getuid?.() === 0) {
      chownSync(path, 12_345, 0);
      await fails("belongs to user 12345");
    }
  });

  it("in a folder that others can change is not used", async () => {
    chmodSync(folder, 0o777);
    await fails("can be changed by others");
    chmodSync(folder, 0o700);
    path = join(folder, "missing", "witness.jsonl");
    await fails("does not exist");
  });

  it("with a second name is the same file", async () => {
    await take(log);
    linkSync(path, `${path}.2`);
    await take(await log.grow(1), 10);
    expect(readFileSync(`${path}.2`, "utf8")).toBe(readFileSync(path, "utf8"));
  });
});
