/**
 * What a long history costs: to verify it, to fold it again, to prove a record of it, to start on it after
 * a crash, and what its tree costs each record that is appended.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  checkProof,
  copyForVerification,
  growTree,
  LeveldbStore,
  prove,
  StoreReader,
  StoreSource,
  TileTree,
  verificationThreads,
  verifyLog,
} from "@femtoclaw/journal";
import { eventCount, Projection } from "@femtoclaw/runtime";
import { writeHistory } from "./history.ts";
import { BenchHost, type HostCommand, type HostStart } from "./host-start.ts";
import { median, rounded } from "./quantiles.ts";

export interface JournalRow {
  readonly preset: "journal";
  readonly measure: "verify" | "recompute" | "append-tree" | "proof" | "idle" | "idle-clean" | "idle-cold";
  readonly unit: "records/s" | "events/s" | "us/record" | "ms";
  /** Median of the rounds, and the spread of all of them. */
  readonly value: number;
  readonly lowest: number;
  readonly highest: number;
  /** CPU time for each record, event, proof or start, all threads together; null where it cannot be told. */
  readonly cpu_us: number | null;
  /** Threads that check records beside the one that reads them. */
  readonly threads: number;
  /** Records in the journal. */
  readonly records: number;
  readonly rounds: number;
}

/** Ends within two minutes; `--records 1000000` shows that nothing grows with the history but the time to read it. */
export const JOURNAL_RECORDS = 200_000;
const ROUNDS = 3;
const PROOFS = 200;
const APPENDED_RECORDS_MAX = 65_536;
const GROUP_RECORDS = 256;

interface Sample {
  readonly value: number;
  readonly cpuUs: number | null;
}

interface Measurement extends Pick<JournalRow, "measure" | "unit" | "threads"> {
  readonly samples: Sample[];
}

export async function measureJournal(
  directory: string,
  records: number,
  command: HostCommand,
  onProgress: (text: string) => void,
): Promise<JournalRow[]> {
  onProgress(`writing a history of ${records} records`);
  await writeHistory(directory, records);
  const threads = verificationThreads();
  const verify: Measurement = { measure: "verify", unit: "records/s", threads, samples: [] };
  const verifyAlone: Measurement = { ...verify, threads: 0, samples: [] };
  const recompute: Measurement = { measure: "recompute", unit: "events/s", threads: 0, samples: [] };
  const append: Measurement = { measure: "append-tree", unit: "us/record", threads: 0, samples: [] };
  const proof: Measurement = { measure: "proof", unit: "ms", threads: 0, samples: [] };
  const idle: Measurement = { measure: "idle", unit: "ms", threads: 0, samples: [] };
  const idleClean: Measurement = { ...idle, measure: "idle-clean", samples: [] };
  const idleCold: Measurement = { ...idle, measure: "idle-cold", samples: [] };
  const host = new BenchHost(command, directory);
  let size = 0;
  for (let round = 1; round <= ROUNDS; round += 1) {
    onProgress(`round ${round} of ${ROUNDS}`);
    host.forgetCompiledCode();
    idleCold.samples.push(idleSample(await host.live("SIGKILL")));
    idle.samples.push(idleSample(await host.live("SIGTERM")));
    idleClean.samples.push(idleSample(await host.live("SIGKILL")));
    await using copy = await copyForVerification(join(directory, "state", "journal"));
    const store = new LeveldbStore(copy.directory);
    ({ size } = await store.open());
    try {
      for (const measurement of [verify, verifyAlone]) {
        measurement.samples.push(await verifySample(store, size, measurement.threads));
      }
      recompute.samples.push(await recomputeSample(store, size));
      proof.samples.push(await proofSample(store, size));
      append.samples.push(await appendSample(store, size, join(directory, `append-${round}`)));
    } finally {
      await store.close();
    }
  }
  const measured = [verify, verifyAlone, recompute, append, proof, idle, idleClean, idleCold];
  return measured.map((measurement) => row(measurement, size));
}

function idleSample({ readyMs, cpuUs }: HostStart): Sample {
  return { value: readyMs, cpuUs };
}

function row({ samples, ...what }: Measurement, records: number): JournalRow {
  const values = samples.map(({ value }) => value);
  const cpu = samples.flatMap(({ cpuUs }) => (cpuUs === null ? [] : [cpuUs]));
  return {
    preset: "journal",
    ...what,
    value: rounded(median(values)),
    lowest: rounded(Math.min(...values)),
    highest: rounded(Math.max(...values)),
    cpu_us: cpu.length === 0 ? null : rounded(median(cpu)),
    records,
    rounds: samples.length,
  };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

async function timed(work: () => Promise<void>): Promise<{ readonly elapsedMs: number; readonly cpuUs: number }> {
  const cpu = process.cpuUsage();
  const began = performance.now();
  await work();
  const elapsedMs = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  return { elapsedMs, cpuUs: user + system };
}

/** Everything that `audit verify` checks, from the first record to the last signature. */
async function verifySample(store: LeveldbStore, size: number, threads: number): Promise<Sample> {
  const { elapsedMs, cpuUs } = await timed(async () => {
    const { verdict, fault } = await verifyLog({ source: new StoreSource(store, size), threads });
    if (verdict !== "verified") throw new Error(`the journal is ${verdict}: ${fault?.reason}`);
  });
  return { value: (size * 1_000) / elapsedMs, cpuUs: cpuUs / size };
}

/** Reads, checks and folds every record; counted are the events of the executions that they stand for. */
async function recomputeSample(store: LeveldbStore, size: number): Promise<Sample> {
  const projection = new Projection();
  let events = 0;
  const { elapsedMs, cpuUs } = await timed(async () => {
    for await (const record of new StoreReader(store, size).readFrom(0)) {
      projection.apply(record);
      events += eventCount(record);
    }
  });
  return { value: (events * 1_000) / elapsedMs, cpuUs: cpuUs / events };
}

/** A proof of inclusion of any record, made and checked, by a reader that has read nothing before. */
async function proofSample(store: LeveldbStore, size: number): Promise<Sample> {
  const reader = new StoreReader(store, size);
  const [created] = await collect(reader.read(0, 1));
  if (created?.type !== "log.created") throw new Error("the journal does not name its key");
  // What was written since the last checkpoint can be proved once the next one is signed.
  const signed = (await reader.checkpoints()).at(-1) ?? 0;
  const seqs = Array.from({ length: PROOFS }, () => Math.floor(Math.random() * signed));
  const { elapsedMs, cpuUs } = await timed(async () => {
    for (const seq of seqs) {
      const [stored] = await collect(reader.readStored(seq, seq + 1));
      if (stored === undefined) throw new Error(`record ${seq} is missing`);
      const proof = await prove(reader, seq);
      const check = checkProof({ proof, recordBytes: stored.bytes, vkey: created.body.vkey });
      if (!check.ok) throw new Error(check.reason);
    }
  });
  return { value: elapsedMs / PROOFS, cpuUs: cpuUs / PROOFS };
}

/** The same records stored twice, once with tree and tiles; the difference is what these cost. */
async function appendSample(store: LeveldbStore, size: number, directory: string): Promise<Sample> {
  const stored = await collect(store.read(0, Math.min(size, APPENDED_RECORDS_MAX)));
  const records = stored.map(({ bytes }) => bytes);
  const tree = new TileTree();
  const bare = await appendAll(records, `${directory}-bare`, () => []);
  const grown = await appendAll(records, `${directory}-tree`, (group) => growTree(tree, group));
  return {
    value: ((grown.elapsedMs - bare.elapsedMs) * 1_000) / records.length,
    cpuUs: (grown.cpuUs - bare.cpuUs) / records.length,
  };
}

async function appendAll(
  records: readonly Uint8Array[],
  directory: string,
  objectsOf: (group: readonly Uint8Array[]) => ReturnType<typeof growTree>,
): Promise<{ readonly elapsedMs: number; readonly cpuUs: number }> {
  mkdirSync(directory, { mode: 0o700 });
  const store = new LeveldbStore(directory);
  await store.open();
  try {
    return await timed(async () => {
      for (let first = 0; first < records.length; first += GROUP_RECORDS) {
        const group = records.slice(first, first + GROUP_RECORDS);
        await store.append({ expectedSize: first, records: group, index: [], objects: objectsOf(group) });
      }
    });
  } finally {
    await store.close();
  }
}
