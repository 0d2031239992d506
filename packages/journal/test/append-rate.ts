/**
 * A measurement for people, run by hand: records per second of 100 concurrent appenders, what a record
 * costs this package, and beside it what the disk and LevelDB can do at all.
 * `node packages/journal/test/append-rate.ts [directory]`
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Journal, type JournalStore, LeveldbStore, systemClock } from "@femtoclaw/journal";
import { MemoryKeyring, MemoryStore } from "@femtoclaw/testing/in-memory";
import { Level } from "level";
import { inspectLeveldbFiles } from "../src/store/leveldb/leveldb-files.ts";
import { MACHINES } from "./journal-fixture.ts";

const RECORDS = 200_000;
const APPENDERS = 100;
const RAW_PUTS = 5_000;

const folder = await mkdtemp(join(process.argv[2] ?? tmpdir(), "femtoclaw-rate-"));

async function measure(name: string, count: number, work: () => Promise<unknown>): Promise<void> {
  const cpu = process.cpuUsage();
  const began = performance.now();
  await work();
  const elapsedMs = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  const rate = Math.round((count * 1_000) / elapsedMs);
  const cpuUs = ((user + system) / count).toFixed(2);
  process.stdout.write(`${name.padEnd(48)} ${String(rate).padStart(8)}/s  ${cpuUs.padStart(7)} us CPU each\n`);
}

async function appendAll(store: JournalStore): Promise<void> {
  const journal = await Journal.open({
    store,
    keyring: new MemoryKeyring(),
    boot: "0198c0de-boot",
    clock: systemClock(),
    machines: MACHINES,
  });
  let left = RECORDS;
  const appender = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const execution = `0198c0de-0000-7000-8000-${String(left >> 1).padStart(12, "0")}`;
      await journal.append({ type: "message.recorded", session: "s", execution, body: { content: "x".repeat(200) } });
    }
  };
  await Promise.all(Array.from({ length: APPENDERS }, appender));
  await journal.close();
}

for (let round = 0; round < 3; round += 1) {
  await measure("journal over memory, 100 appenders", RECORDS, () => appendAll(new MemoryStore()));
  const directory = await mkdtemp(join(folder, "journal-"));
  await measure("journal over LevelDB, 100 appenders", RECORDS, () => appendAll(new LeveldbStore(directory)));
  await measure("  checking its files before opening", RECORDS, () => inspectLeveldbFiles(directory));
  const raw = new Level<string, string>(join(folder, `raw-${round}`), { compression: false });
  await raw.open();
  await measure("raw batches of one put, sync, one after another", RAW_PUTS, async () => {
    for (let put = 0; put < RAW_PUTS; put += 1) {
      await raw.batch([{ type: "put", key: String(put), value: "x".repeat(270) }], { sync: true });
    }
  });
  await raw.close();
}
await rm(folder, { recursive: true });
