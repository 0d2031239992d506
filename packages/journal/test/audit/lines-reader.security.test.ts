/** Files of records, one a line: shown if they can be records at all, never called proved, and told of where they are cut. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { exportJsonl, Journal, LinesReader } from "@femtoclaw/journal";
import { MemoryKeyring, MemoryStore } from "@femtoclaw/testing/in-memory";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { collect, countingClock, MACHINES, message } from "../journal-fixture.ts";

const RECORDS = 12;

let folder: string;
let lines: string[];
let checkpoint: string;
beforeAll(async () => {
  folder = mkdtempSync("/tmp/fl-");
  const parts = { store: new MemoryStore(), keyring: new MemoryKeyring(), clock: countingClock(), machines: MACHINES };
  const journal = await Journal.open({ ...parts, boot: "22222222-2222-4222-8222-222222222222" });
  while (journal.size < RECORDS) await journal.append(message(`line ${journal.size}`));
  await journal.checkpoint();
  const file = join(folder, "whole");
  await exportJsonl(journal, file);
  await journal.close();
  lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  checkpoint = readFileSync(`${file}.checkpoint`, "utf8");
});
afterAll(() => rmSync(folder, { recursive: true }));

const text = (of: readonly string[]): string => of.map((line) => `${line}\n`).join("");

/** A file with this in it, and what lies beside it as its checkpoint. */
async function opened(content: string | Uint8Array, beside: string | null = checkpoint): Promise<LinesReader> {
  const file = join(mkdtempSync(join(folder, "f-")), "lines");
  writeFileSync(file, content);
  if (beside !== null) writeFileSync(`${file}.checkpoint`, beside);
  return await LinesReader.open(file);
}

/** The reason of a refusal; null where the file is shown. */
async function refusal(content: string | Uint8Array, beside: string | null = checkpoint): Promise<string | null> {
  try {
    await using _ = await opened(content, beside);
    return null;
  } catch (error) {
    expect(error).toMatchObject({ code: "FEMTO_JOURNAL_CORRUPT" });
    return (error as Error).message;
  }
}

describe("a file of lines", () => {
  test("gives its records, forwards and backwards, and says that it proves nothing", async () => {
    await using reader = await opened(text(lines));
    const records = await collect(reader.read(0, reader.size));
    expect(records.map(({ seq }) => seq)).toEqual(lines.map((_, seq) => seq));
    expect((await collect(reader.readBackwards(3, 100))).map(({ seq }) => seq)).toEqual(
      records
        .slice(3)
        .map(({ seq }) => seq)
        .reverse(),
    );
    const stored = await collect(reader.readStored(0, reader.size));
    expect(stored.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(lines);
    expect(reader.caveats).toEqual([
      expect.stringContaining("whose signature was not looked at"),
      expect.stringContaining("proves nothing"),
    ]);
    await expect(reader.hashes(0, 0)).rejects.toThrow("no tree");
  });

  test("that was cut short says where, in a line and between two", async () => {
    await using inLine = await opened(text(lines).slice(0, -3), null);
    expect([inLine.size, inLine.caveats[0]]).toEqual([
      RECORDS - 1,
      `the file was cut short: what began after record ${RECORDS - 2} is not whole, and is left out`,
    ]);
    await using between = await opened(text(lines.slice(0, 7)));
    expect(between.caveats[0]).toBe(
      `the file was cut short: the checkpoint beside it is of ${RECORDS} records, and it holds 7`,
    );
    await using alone = await opened(text(lines.slice(0, 7)), null);
    expect(alone.caveats[0]).toContain("could tell how much is missing");
  });

  const forged = (): Record<string, readonly [content: string | Uint8Array, said: string]> => {
    const changed = lines.with(5, String(lines[5]).replace("line 5", "line V"));
    return {
      "a changed word": [text(changed), "somebody has changed them"],
      "one more than its checkpoint knows": [
        text([...lines, String(lines[11]).replace('"seq":11', '"seq":12')]),
        "changed",
      ],
      "a line left out": [text(lines.toSpliced(4, 1)), "line 5 is not record 4"],
      "a line twice": [text(lines.toSpliced(4, 0, String(lines[4]))), "line 6 is not record 5"],
      "two lines the other way round": [text(lines.with(4, String(lines[5])).with(5, String(lines[4]))), "line 5 is"],
      "its first line gone": [text(lines.slice(1)), "line 1 is not record 0"],
      "an empty line": [text(lines.toSpliced(3, 0, "")), "line 4 is not record 3"],
      "another text": [text(lines.with(2, "{}")), "line 3 is not record 2"],
      "a key twice": [text(lines.with(2, String(lines[2]).replace('"seq":2', '"seq":2,"seq":2'))), "changed"],
      "bytes that are no text": [
        Buffer.concat([Buffer.from(text(lines.slice(0, 2))), Buffer.from([0xff, 0x0a])]),
        "line 3",
      ],
      "a line without end": ["x".repeat(3_000_000), "longer than any record"],
      "nothing in it": ["", "holds no record"],
      "carriage returns": [text(lines).replaceAll("\n", "\r\n"), "changed"],
    };
  };
  test.each([
    ...["a changed word", "one more than its checkpoint knows", "a line left out", "a line twice"],
    ...["two lines the other way round", "its first line gone", "an empty line", "another text", "a key twice"],
    ...["bytes that are no text", "a line without end", "nothing in it", "carriage returns"],
  ])("with %s is not shown", async (what) => {
    const [content, said] = forged()[what] ?? ["", ""];
    expect(await refusal(content)).toContain(said);
  });

  test("with something beside it that is no checkpoint is not shown", async () => {
    expect(await refusal(text(lines), "nothing")).toContain("as its checkpoint is none");
    expect(await refusal(text(lines), "x".repeat(100_000))).toContain("as its checkpoint is none");
  });

  test("of which one byte is another one is found out, wherever that is", async () => {
    const whole = Buffer.from(text(lines));
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, by) => {
        const bytes = Buffer.from(whole);
        bytes[at] = (bytes[at] ?? 0) ^ by;
        const said = await refusal(bytes);
        // The last line without its end is one that was cut short, and told as such.
        if (said === null) expect(at).toBe(whole.length - 1);
      }),
      { numRuns: 60 },
    );
  });
});
