/** Tables that are checked in a thread of their own: whatever is wrong with one of them is found as it is found without. */
import { mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { inspectLeveldbFiles } from "@femtoclaw/journal";
import { FemtoError } from "@femtoclaw/protocol";
import { Level } from "level";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { startTableThread } from "#table-thread";
import { readManifest } from "../src/store/leveldb/leveldb-manifest.ts";

vi.mock("#table-thread", { spy: true });

const VALUE_BYTES = 100_000;
const VALUES = 160;

let directory: string;
let newest: string;
let intact: Buffer;

/** Some 16 MB in tables, which is more than is checked without a thread. */
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "femtoclaw-tables-"));
  const options = { compression: false, valueEncoding: "buffer" } as const;
  const database = new Level<string, Buffer>(directory, options);
  for (let n = 0; n < VALUES; n += 1) await database.put(`key-${n}`, Buffer.alloc(VALUE_BYTES, n));
  await database.close();
  // A table that LevelDB has no use for any more may lie beside them.
  const manifest = join(directory, readFileSync(join(directory, "CURRENT"), "latin1").trim());
  const numbers = [...readManifest(manifest, readFileSync(manifest)).tables.keys()];
  newest = join(directory, `${String(Math.max(...numbers)).padStart(6, "0")}.ldb`);
  intact = readFileSync(newest);
});
afterAll(() => rmSync(directory, { recursive: true }));

async function findings(): Promise<string> {
  return await inspectLeveldbFiles(directory).then(
    () => "none",
    (error: unknown) => (error instanceof FemtoError ? `${error.code} ${error.message}` : String(error)),
  );
}

it.skipIf(availableParallelism() === 1)(
  "lets the caller go on while they are checked, and leaves no thread",
  async () => {
    const before = process.getActiveResourcesInfo().length;
    const onIdle = vi.fn();
    expect(await inspectLeveldbFiles(directory, { onIdle })).toEqual({ fresh: false });
    expect(onIdle).toHaveBeenCalledOnce();
    expect(process.getActiveResourcesInfo().length).toBeLessThanOrEqual(before);
  },
);

it.skipIf(availableParallelism() === 1)("checks them itself where the thread ends without an answer", async () => {
  for (const code of ["process.exit(0)", "throw new Error('no room')"]) {
    vi.mocked(startTableThread).mockImplementationOnce(() => new Worker(code, { eval: true }));
    expect(await findings()).toBe("none");
    flip(4_000);
    vi.mocked(startTableThread).mockImplementationOnce(() => new Worker(code, { eval: true }));
    expect(await findings()).toMatch(/^FEMTO_JOURNAL_CORRUPT .* the checksum of a block does not match/);
    writeFileSync(newest, intact);
  }
});

it("does not speak of idleness where there is too little for a thread", async () => {
  const onIdle = vi.fn();
  expect(await inspectLeveldbFiles(directory, { onIdle, tableBytesMax: 1 })).toEqual({ fresh: false });
  expect(onIdle).not.toHaveBeenCalled();
});

it.each([
  ["a byte of a block", () => flip(4_000), /\.ldb, byte 0: the checksum of a block does not match/],
  ["a byte of the last block's checksum", () => flip(intact.length - 49), /the checksum of a block does not match/],
  ["its footer", () => flip(intact.length - 1), /this is no table's footer/],
  ["its end", () => truncateSync(newest, intact.length - 1), /the table ends here and not at byte/],
  ["itself for a link to itself", linkAway, /cannot be read: ELOOP/],
] as const)("finds a table that has changed %s", async (_, change, told) => {
  change();
  try {
    const found = await findings();
    expect(found).toMatch(told);
    expect(found).toMatch(/^FEMTO_JOURNAL_CORRUPT /);
  } finally {
    rmSync(newest, { force: true });
    writeFileSync(newest, intact);
  }
  expect(await findings()).toBe("none");
});

function flip(at: number): void {
  const bytes = Buffer.from(intact);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  writeFileSync(newest, bytes);
}

function linkAway(): void {
  const away = join(directory, "away");
  writeFileSync(away, intact);
  unlinkSync(newest);
  symlinkSync(away, newest);
}
