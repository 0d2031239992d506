/** Kills a process that erases and prunes: what it had said is gone is gone, and what it was at is finished later. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { testedProgram } from "@femtoclaw/testing";
import { expect, it } from "vitest";
import { Journal, LeveldbStore, verifyDirectory } from "../src/index.ts";
import { openDatabase } from "../src/store/leveldb/leveldb-database.ts";
import { allRemoved, allUnindexed } from "../src/store/leveldb/leveldb-layout.ts";
import { countingClock, keyringBeside, MACHINES, temporaryDirectory } from "./journal-fixture.ts";

const REMOVER = testedProgram(join(import.meta.dirname, "remove-until-killed.ts"));
const LIVES = 8;
const DELAY_MS_MAX = 40;

interface Said {
  readonly erased: readonly number[];
  readonly prunedBefore: number;
}

/** Lets it do so many things, and kills it at any moment of the next. */
async function liveUntilKilled(directory: string, life: number): Promise<Said> {
  const child = spawn(process.execPath, [REMOVER, directory, `life-${life}`], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
    const done = said.split("\n").length - 2;
    if (done >= life % 4) setTimeout(() => child.kill("SIGKILL"), Math.random() * DELAY_MS_MAX);
  });
  await once(child, "close");
  // A line that was cut off was not said.
  const lines = said.split("\n").slice(0, -1);
  const numbers = (word: string): number[] =>
    lines.filter((line) => line.startsWith(word)).map((line) => Number(line.slice(word.length)));
  return { erased: numbers("erased "), prunedBefore: numbers("pruned ").at(-1) ?? 0 };
}

const filesWith = (directory: string, text: string): string[] =>
  readdirSync(directory).filter((name) => readFileSync(join(directory, name)).includes(text));

it("a journal from which something is taken out survives SIGKILL, and the next start finishes", async () => {
  const directory = await temporaryDirectory();
  let prunedBefore = 0;
  for (let life = 1; life <= LIVES; life += 1) {
    const said = await liveUntilKilled(directory, life);
    prunedBefore = Math.max(prunedBefore, said.prunedBefore);
    const { verdict, fault } = await verifyDirectory(directory);
    if (verdict !== "verified") expect({ verdict, reason: fault?.reason }).toMatchObject({ verdict: "incomplete" });
    if (verdict !== "verified") expect(fault?.reason).toContain("history pruned");

    const journal = await Journal.open({
      store: new LeveldbStore(directory),
      keyring: keyringBeside(directory),
      boot: `look-${life}`,
      clock: countingClock(),
      machines: MACHINES,
    });
    const before = await journal.prunedBefore();
    expect(before).toBeGreaterThanOrEqual(prunedBefore);
    for (let execution = 0; execution < 500; execution += 1) {
      for (const seq of await journal.locate(`e${execution}`)) expect(seq).toBeGreaterThanOrEqual(before);
    }
    const told = new Map<number, string>();
    for await (const { type, body, execution } of journal.readFrom(before)) {
      if (type === "values.erased") told.set(body.seq, String(execution).replace("of-", "secret-"));
    }
    for (const seq of said.erased) if (seq >= before) expect([...told.keys()]).toContain(seq);
    for (const value of told.values())
      expect({ value, files: filesWith(directory, value) }).toEqual({ value, files: [] });
    await journal.close();
    const database = await openDatabase(directory, { createIfMissing: false });
    for (const marks of [allRemoved, allUnindexed]) expect(await database.keys(marks).all()).toEqual([]);
    await database.close();
  }
  expect(prunedBefore).toBeGreaterThan(0);
});
