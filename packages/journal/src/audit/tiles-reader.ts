/**
 * Reads an exported folder the way a replay reads a journal. Whether the export can be believed is for a verification
 * to tell.
 */
import type { Snapshot, TypedRecord } from "@femtoclaw/protocol";
import { decodeAt, gap, type LogReader, oldestSnapshotOf } from "../journal-reader.ts";
import { decodeSnapshot } from "../records/snapshot.ts";
import { type Unsealed, unseal } from "../sealing/unseal.ts";
import type { StoredRecord } from "../store/store.ts";
import { TILE_WIDTH } from "../tree/tiles.ts";
import { MissingPart } from "./log-source.ts";
import { TilesSource } from "./tiles-source.ts";
import { ValuesCursor } from "./values-cursor.ts";

/** What replay and history read of a log, which may have lost its first records to pruning. */
export type ReplayReader = Pick<
  LogReader,
  | ("size" | "read" | "readBackwards" | "readStored" | "hashes" | "latestCheckpoint" | "locate" | "withValues")
  | ("snapshots" | "snapshotAt" | "oldestSnapshot" | "prunedBefore")
>;

/** Reads an export made as a tree of files, up to the size that its checkpoint covers. */
export class TilesReader implements ReplayReader, AsyncDisposable {
  readonly #source: TilesSource;
  readonly #values: ValuesCursor;
  readonly size: number;

  private constructor(source: TilesSource, size: number) {
    this.#source = source;
    this.#values = new ValuesCursor(() => source.values());
    this.size = size;
  }

  /** Opens the folder of an export without verifying it. Use `verifyLog` for that. */
  static async open(folder: string): Promise<TilesReader> {
    const source = new TilesSource(folder);
    return new TilesReader(source, await source.size());
  }

  async *read(fromSeq: number, toSeqExclusive: number): AsyncGenerator<TypedRecord> {
    for await (const stored of this.readStored(fromSeq, toSeqExclusive)) yield decodeAt(stored);
  }

  /** Reads one bundle at a time, as they are stored. */
  async *readBackwards(fromSeq: number, toSeqExclusive: number): AsyncGenerator<TypedRecord> {
    for (let end = Math.min(toSeqExclusive, this.size); end > fromSeq; ) {
      const start = Math.max(fromSeq, Math.floor((end - 1) / TILE_WIDTH) * TILE_WIDTH);
      const records: TypedRecord[] = [];
      for await (const record of this.read(start, end)) records.push(record);
      yield* records.reverse();
      end = start;
    }
  }

  /** An export has no index, so this reads all records. */
  async locate(execution: string): Promise<readonly number[]> {
    const found: number[] = [];
    for await (const record of this.read(await this.prunedBefore(), this.size)) {
      if (record.execution === execution) found.push(record.seq);
    }
    return found;
  }

  async withValues(record: TypedRecord): Promise<Unsealed> {
    return await unseal(record, async (seq, index) => (await this.#values.of(seq)).get(index) ?? null);
  }

  async *readStored(fromSeq: number, toSeqExclusive: number): AsyncGenerator<StoredRecord> {
    let expected = fromSeq;
    for await (const stored of this.#source.records(fromSeq)) {
      if (expected >= toSeqExclusive) return;
      if (stored.seq !== expected) throw gap(expected, await this.prunedBefore());
      yield stored;
      expected += 1;
    }
  }

  prunedBefore(): Promise<number> {
    return this.#source.prunedBefore();
  }

  async hashes(level: number, start: number, count: number): Promise<readonly Uint8Array[]> {
    const found = await this.#source.hashes(level, start, count);
    if (found !== null) return found;
    throw new MissingPart(start, `hashes of level ${level} from ${start} on are missing`);
  }

  async latestCheckpoint(): Promise<string | null> {
    return await this.#source.checkpoint(this.size);
  }

  snapshots(): Promise<readonly number[]> {
    return this.#source.snapshots();
  }

  oldestSnapshot(): Promise<Snapshot | null> {
    return oldestSnapshotOf(this);
  }

  async snapshotAt(seq: number): Promise<Snapshot | null> {
    const bytes = await this.#source.snapshot(seq);
    return bytes === null ? null : decodeSnapshot(bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#values.close();
  }
}
