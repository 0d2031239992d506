/** Reads an exported folder as a replay reads a journal. Whether to believe it is for a verification to say. */
import type { Snapshot, TypedRecord } from "@femtoclaw/protocol";
import { decodeAt, gap, type LogReader, oldestSnapshotOf } from "../journal-reader.ts";
import { decodeSnapshot } from "../records/snapshot.ts";
import type { StoredRecord } from "../store/store.ts";
import { MissingPart } from "./log-source.ts";
import { TilesSource } from "./tiles-source.ts";

/** What a replay reads of a log, also of one that has lost its first records. */
export type ReplayReader = Pick<
  LogReader,
  | ("size" | "read" | "readStored" | "hashes" | "latestCheckpoint")
  | ("snapshots" | "snapshotAt" | "oldestSnapshot" | "prunedBefore")
>;

export class TilesReader implements ReplayReader {
  readonly #source: TilesSource;
  readonly size: number;

  private constructor(source: TilesSource, size: number) {
    this.#source = source;
    this.size = size;
  }

  static async open(folder: string): Promise<TilesReader> {
    const source = new TilesSource(folder);
    return new TilesReader(source, await source.size());
  }

  async *read(fromSeq: number, toSeqExclusive: number): AsyncGenerator<TypedRecord> {
    for await (const stored of this.readStored(fromSeq, toSeqExclusive)) yield decodeAt(stored);
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
}
