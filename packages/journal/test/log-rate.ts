/**
 * A measurement for people, run by hand: what the tree costs a record, and what a log of many records
 * costs to open, to verify and to prove from.
 * `node packages/journal/test/log-rate.ts [records] [directory]`
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  checkProof,
  FileKeyring,
  Journal,
  LeveldbStore,
  prove,
  StoreReader,
  StoreSource,
  systemClock,
  verifyLog,
} from "@femtoclaw/journal";
import { leafHash } from "../src/tree/hashing.ts";
import { TileTree } from "../src/tree/tiles.ts";
import { MACHINES } from "./journal-fixture.ts";

const RECORDS = Number(process.argv[2] ?? 1_000_000);
const APPENDERS = 1_000;
const PROOFS = 1_000;

const folder = await mkdtemp(join(process.argv[3] ?? tmpdir(), "femtoclaw-rate-"));
const directory = join(folder, "journal");
for (const name of ["journal", "keys"]) await mkdir(join(folder, name), { mode: 0o700 });
const clock = systemClock();

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

function say(what: string, figure: string): void {
  process.stdout.write(`${what.padEnd(60)} ${figure}\n`);
}

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; elapsedMs: number; cpuUs: number }> {
  const cpu = process.cpuUsage();
  const began = performance.now();
  const result = await work();
  const elapsedMs = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  return { result, elapsedMs, cpuUs: user + system };
}

const openJournal = (boot: string): Promise<Journal> =>
  Journal.open({
    store: new LeveldbStore(directory),
    keyring: new FileKeyring(join(folder, "keys")),
    boot,
    clock,
    machines: MACHINES,
  });

async function appendAll(): Promise<void> {
  const journal = await openJournal("boot-1");
  let left = RECORDS;
  const appender = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await journal.append({
        type: "message.recorded",
        session: "s",
        execution: null,
        body: { content: "x".repeat(400) },
      });
    }
  };
  await Promise.all(Array.from({ length: APPENDERS }, appender));
  await journal.close();
}

const record = Buffer.alloc(560, "x");
const tree = await timed(async () => {
  const growing = new TileTree();
  for (let count = 0; count < 300_000; count += 1) growing.push(leafHash(record));
});
say("leaf hash, tree and tiles of 560-byte records", `${(tree.cpuUs / 300_000).toFixed(2)} us CPU each`);

const appended = await timed(appendAll);
say(
  `append of ${RECORDS} records, ${APPENDERS} appenders`,
  `${Math.round((RECORDS * 1_000) / appended.elapsedMs)}/s, ${(appended.cpuUs / RECORDS).toFixed(2)} us CPU each`,
);

for (let round = 0; round < 5; round += 1) {
  const opened = await timed(() => openJournal(`open-${round}`));
  say("Journal.open after a clean stop", `${opened.elapsedMs.toFixed(1)} ms`);
  await opened.result.close();
}

const store = new LeveldbStore(directory);
const { size } = await store.open();
const reader = new StoreReader(store, size);
const [created] = await collect(reader.read(0, 1));
const vkey = created?.type === "log.created" ? created.body.vkey : "";
let provingMs = 0;
for (let count = 0; count < PROOFS; count += 1) {
  const seq = Math.floor(((count * 0.618_033_988_749) % 1) * size);
  const [stored] = await collect(reader.readStored(seq, seq + 1));
  const proved = await timed(() => prove(reader, seq));
  provingMs += proved.elapsedMs;
  const check = checkProof({ proof: proved.result, recordBytes: stored?.bytes ?? record, vkey });
  if (!check.ok) throw new Error(check.reason);
}
say(`inclusion proof at ${size} records, any record`, `${(provingMs / PROOFS).toFixed(3)} ms each`);

const verified = await timed(() => verifyLog({ source: new StoreSource(store, size), pinned: vkey }));
say(
  `verifyLog, one thread: ${verified.result.verdict}`,
  `${Math.round((size * 1_000) / verified.elapsedMs)} records/s`,
);
await store.close();
await rm(folder, { recursive: true });
