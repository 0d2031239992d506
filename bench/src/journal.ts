/**
 * The cost of a long history: to verify it, to fold it again, to prove one of its records, to start on it after a
 * crash; and the cost of its tree for each appended record.
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
import type { Aim } from "./aim.ts";
import type { BenchContext } from "./context.ts";
import { scaled } from "./effort.ts";
import { writeHistory } from "./history.ts";
import { aimsOfHost, BenchHost, type HostCommand, type HostStart } from "./host-start.ts";
import { type Beside, Measurement, type MeasureRow, type Sample, type Subject } from "./measurement.ts";
import { type Timed, timed } from "./timed.ts";

const PROOFS = 200;
const APPENDED_RECORDS_MAX = 65_536;
const GROUP_RECORDS = 256;

export async function measureJournal(context: BenchContext): Promise<MeasureRow[]> {
  const { directory, records, effort, yardstick, onProgress } = context;
  onProgress(`writing a history of ${records} records`);
  await writeHistory(directory, records);
  const threads = verificationThreads();
  const measuring = (measure: string, unit: Subject["unit"], beside = 0) =>
    new Measurement({ preset: "journal", measure, unit, threads: beside });
  const verify = measuring("verify", "records/s", threads);
  const verifyAlone = measuring("verify", "records/s");
  const read = measuring("read alone", "records/s");
  const recompute = measuring("recompute", "events/s");
  const readEvents = measuring("read alone", "events/s");
  const append = measuring("append-tree", "us/record");
  const proof = measuring("proof", "ms");
  const hosts = [
    new StartedHost(context, context.host, {}),
    ...(context.executable === null ? [] : [new StartedHost(context, context.executable, { surface: "executable" })]),
  ];
  let size = 0;
  for (let round = 1; round <= effort.rounds; round += 1) {
    onProgress(`round ${round} of ${effort.rounds}`);
    for (const host of hosts) await host.round();
    await using copy = await copyForVerification(join(directory, "state", "journal"));
    const store = new LeveldbStore(copy.directory);
    ({ size } = await store.open());
    try {
      verify.add(await verifySample(store, size, threads));
      verifyAlone.add(await verifySample(store, size, 0));
      const reading = await timed(() => readAll(store, size));
      read.add(rateOf(size, reading));
      const { events, folding } = await recomputed(store, size);
      recompute.add(rateOf(events, folding));
      readEvents.add(rateOf(events, reading));
      proof.add(await proofSample(store, size, scaled(PROOFS, effort)));
      append.add(await appendSample(store, size, join(directory, `append-${round}`)));
    } finally {
      await store.close();
    }
  }
  const put = { name: "grouped put", value: 1e6 / yardstick.grouped_put_per_s };
  const measured: readonly (readonly [Measurement, Beside | undefined, ...Aim<"value">[]])[] = [
    [verify, read, { figure: "value", atLeast: 300_000 }],
    [verifyAlone, read],
    [read, undefined],
    [recompute, readEvents, { figure: "value", atLeast: 100_000 }],
    [append, put, { figure: "value", atMost: 5 }],
    [proof, undefined, { figure: "value", atMost: 2 }],
  ];
  const rows = measured.map(([measurement, beside, ...aims]) =>
    measurement.row({ circumstances: { records: size }, beside, aims }),
  );
  return [...rows, ...hosts.flatMap((host) => host.rows(size))];
}

/** A host that is started over the history and ended under load, once in each way per round. */
class StartedHost {
  readonly #emptyProcess: Beside;
  readonly #surface: Pick<Subject, "surface">;
  readonly #host: BenchHost;
  readonly #killed = idleMeasurement("idle");
  readonly #clean = idleMeasurement("idle-clean");
  readonly #cold = idleMeasurement("idle-cold");

  constructor({ directory, yardstick }: BenchContext, command: HostCommand, surface: Pick<Subject, "surface">) {
    this.#emptyProcess = { name: "empty process", value: yardstick.node_e0_ms };
    this.#surface = surface;
    this.#host = new BenchHost(command, directory);
  }

  async round(): Promise<void> {
    this.#host.forgetCompiledCode();
    this.#cold.add(idleSample(await this.#host.live("SIGKILL")));
    this.#killed.add(idleSample(await this.#host.live("SIGTERM")));
    this.#clean.add(idleSample(await this.#host.live("SIGKILL")));
  }

  rows(records: number): MeasureRow[] {
    const measured: readonly (readonly [Measurement, ...Aim<"value">[]])[] = [
      [this.#killed, { figure: "value", atMost: 300 }],
      [this.#clean, { figure: "value", atMost: 100 }],
      [this.#cold],
    ];
    return measured.map(([measurement, ...aims]) =>
      measurement.row({
        circumstances: { records, ...this.#surface },
        beside: this.#emptyProcess,
        aims: aimsOfHost(this.#surface, aims),
      }),
    );
  }
}

const idleMeasurement = (measure: string): Measurement => new Measurement({ preset: "journal", measure, unit: "ms" });

function idleSample({ readyMs, cpuUs }: HostStart): Sample {
  return { value: readyMs, cpuUs };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

/** Everything that `audit verify` checks, from the first record to the last signature. */
async function verifySample(store: LeveldbStore, size: number, threads: number): Promise<Sample> {
  const verifying = await timed(async () => {
    const { verdict, fault } = await verifyLog({ source: new StoreSource(store, size), threads });
    if (verdict !== "verified") throw new Error(`the journal is ${verdict}: ${fault?.reason}`);
  });
  return rateOf(size, verifying);
}

function rateOf(count: number, { elapsedMs, cpuUs }: Timed): Sample {
  return { value: (count * 1_000) / elapsedMs, cpuUs: cpuUs / count };
}

/** Only reads, which is the beginning of everything else about a history. */
async function readAll(store: LeveldbStore, size: number): Promise<void> {
  for await (const _ of store.read(0, size));
}

/** Reads, checks and folds every record; counts the events of executions that they stand for. */
async function recomputed(store: LeveldbStore, size: number): Promise<{ events: number; folding: Timed }> {
  const projection = new Projection();
  let events = 0;
  const folding = await timed(async () => {
    for await (const record of new StoreReader(store, size).readFrom(0)) {
      projection.apply(record);
      events += eventCount(record);
    }
  });
  return { events, folding };
}

/** Makes and checks proofs of inclusion for random records, by a reader that has read nothing before. */
async function proofSample(store: LeveldbStore, size: number, count: number): Promise<Sample> {
  const reader = new StoreReader(store, size);
  const [created] = await collect(reader.read(0, 1));
  if (created?.type !== "log.created") throw new Error("the journal does not name its key");
  // Records after the last checkpoint can be proved only once the next one is signed.
  const signed = (await reader.checkpoints()).at(-1) ?? 0;
  const seqs = Array.from({ length: count }, () => Math.floor(Math.random() * signed));
  const { elapsedMs, cpuUs } = await timed(async () => {
    for (const seq of seqs) {
      const [stored] = await collect(reader.readStored(seq, seq + 1));
      if (stored === undefined) throw new Error(`record ${seq} is missing`);
      const proof = await prove(reader, seq);
      const check = checkProof({ proof, recordBytes: stored.bytes, vkey: created.body.vkey });
      if (!check.ok) throw new Error(check.reason);
    }
  });
  return { value: elapsedMs / count, cpuUs: cpuUs / count };
}

/** Stores the same records twice, once with tree and tiles; the difference is their cost. */
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
): Promise<Timed> {
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
