/** An export is read as the journal that it is of: forwards, backwards, by execution, and with the values beside it. */
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LIMITS, type TypedRecord } from "@femtoclaw/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exportTiles, exportValues, type Journal, TilesReader } from "../../src/index.ts";
import { message } from "../journal-fixture.ts";
import { Machine } from "../machine.ts";

const LARGE = "value ".repeat(LIMITS.recordedValueChars);
/** More than two bundles, with a large value in every hundredth record. */
const RECORDS = 600;

let root: string;
let folder: string;
let journal: Journal;

beforeEach(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "femto-tiles-")));
  folder = join(root, "log");
  ({ journal } = await new Machine().boot());
  for (let at = 0; at < RECORDS; at += 1) {
    await journal.append(message(at % 100 === 50 ? `${LARGE}${at}` : "small", `execution-${at % 7}`));
  }
  await journal.checkpoint();
  await exportTiles(journal, folder);
  await exportValues(journal, journal.size, folder);
});

afterEach(async () => {
  await journal.close();
  rmSync(root, { recursive: true });
});

async function all(records: AsyncIterable<TypedRecord>): Promise<TypedRecord[]> {
  const found: TypedRecord[] = [];
  for await (const record of records) found.push(record);
  return found;
}

describe("an export", () => {
  it("is read backwards from anywhere to anywhere, as the journal is", async () => {
    await using reader = await TilesReader.open(folder);
    for (const [from, to] of [
      [0, reader.size],
      [255, 257],
      [256, 512],
      [300, 300],
      [511, 9_999],
    ] as const) {
      expect(await all(reader.readBackwards(from, to))).toEqual(await all(journal.readBackwards(from, to)));
    }
  });

  it("finds the records of an execution", async () => {
    await using reader = await TilesReader.open(folder);
    expect(await reader.locate("execution-3")).toEqual(await journal.locate("execution-3"));
    expect(await reader.locate("nobody")).toEqual([]);
  });

  it("gives back each value in any order, and tells which are not there", async () => {
    await using reader = await TilesReader.open(folder);
    const large = (await all(reader.read(0, reader.size))).filter(({ commitments }) => commitments !== undefined);
    expect(large).toHaveLength(RECORDS / 100);
    for (const record of [...large, ...large.toReversed()]) {
      expect(await reader.withValues(record)).toEqual(await journal.withValues(record));
    }
    const file = `${folder}.values.jsonl`;
    const [first = "", ...others] = readFileSync(file, "utf8").trimEnd().split("\n");
    writeFileSync(file, `${others.join("\n")}\n`);
    await using shortened = await TilesReader.open(folder);
    for (const record of large) {
      const isMissing = record.seq === (JSON.parse(first) as { seq: number }).seq;
      expect((await shortened.withValues(record)).erased).toEqual(isMissing ? ["/content"] : []);
    }
  });

  it("refuses a value that is not the one committed to, and a file that is none", async () => {
    const file = `${folder}.values.jsonl`;
    const lines = readFileSync(file, "utf8");
    const [large] = (await all(journal.read(0, journal.size))).filter(({ commitments }) => commitments !== undefined);
    if (large === undefined) throw new Error("there is a large record");
    const value = Buffer.from(`${LARGE}0`).toString("base64");
    for (const damaged of [lines.replace(/"value":"[^"]*"/, `"value":"${value}"`), "not JSON\n", lines.slice(0, -1)]) {
      writeFileSync(file, damaged);
      await using reader = await TilesReader.open(folder);
      const reading = async (): Promise<void> => {
        await reader.withValues(large);
        await reader.withValues({ ...large, seq: reader.size + 1 });
      };
      await expect(reading()).rejects.toMatchObject({ code: "FEMTO_JOURNAL_CORRUPT" });
    }
  });
});
