/** Reads the journal: records without gaps, the records of an execution, proved snapshots, and the signed tree. */
import { FemtoError, printable, type Snapshot, type TypedRecord } from "@femtoclaw/protocol";
import {
  blobName,
  CHECKPOINTS,
  checkpointName,
  numberOfName,
  PRUNED,
  ROTATIONS,
  rotationName,
  SNAPSHOTS,
  snapshotName,
} from "./records/object-name.ts";
import { decodeRecord } from "./records/record.ts";
import { decodeSnapshot, snapshotMismatch } from "./records/snapshot.ts";
import { type Unsealed, unseal } from "./sealing/unseal.ts";
import type { JournalStore, StoredRecord } from "./store/store.ts";
import { StoredTree } from "./tree-log.ts";

/** What projections get: everything for reading, nothing for writing. */
export interface JournalReader {
  /** Number of durable records. */
  readonly size: number;
  /** Records of `[fromSeq, toSeqExclusive)`, oldest first. Throws FEMTO_JOURNAL_CORRUPT at a gap. */
  read(fromSeq: number, toSeqExclusive: number): AsyncIterable<TypedRecord>;
  /** The same records, newest first. */
  readBackwards(fromSeq: number, toSeqExclusive: number): AsyncIterable<TypedRecord>;
  /**
   * Records below this number were dropped, except those that name the log and its keys. Reading a dropped one throws
   * FEMTO_JOURNAL_PRUNED.
   */
  prunedBefore(): Promise<number>;
  /** All records from `seq` on that are durable now. */
  readFrom(seq: number): AsyncIterable<TypedRecord>;
  /** The records' bytes as they were written, for exports and proofs. Throws at a gap like `read`. */
  readStored(fromSeq: number, toSeqExclusive: number): AsyncIterable<StoredRecord>;
  /** The record with the values that it commits to, and the paths of those that were erased. */
  withValues(record: TypedRecord): Promise<Unsealed>;
  /** What opens the record's commitment of this index; null if it was erased. */
  blob(seq: number, index: number): Promise<Uint8Array | null>;
  /** Sequence numbers of an execution's records, ascending. */
  locate(execution: string): Promise<readonly number[]>;
  /** The newest snapshot that a record among the first `size` vouches for. Damaged snapshots are skipped. */
  latestSnapshot(size?: number): Promise<Snapshot | null>;
  /** The oldest snapshot that its record vouches for. If records were dropped, history begins after it. */
  oldestSnapshot(): Promise<Snapshot | null>;
  /** The stored snapshot that covers all records up to `seq`. Throws if it cannot be decoded. */
  snapshotAt(seq: number): Promise<Snapshot | null>;
  /** The `seq` of every stored snapshot, ascending. */
  snapshots(): Promise<readonly number[]>;
}

/** What proofs and exports need besides: the Merkle tree over the records and the signed checkpoints. */
export interface LogReader extends JournalReader {
  /** Hashes `[start, start + count)` of level 8·`level` of the Merkle tree. All must lie in one tile of 256. */
  hashes(level: number, start: number, count: number): Promise<readonly Uint8Array[]>;
  /** Sizes of the trees that were signed, ascending. */
  checkpoints(): Promise<readonly number[]>;
  /** The signed note over the tree of this size, as stored. */
  checkpointAt(size: number): Promise<string | null>;
  /** The newest signed note. */
  latestCheckpoint(): Promise<string | null>;
  /** The signed note over the smallest signed tree of at least this size. */
  checkpointFrom(size: number): Promise<string | null>;
  /** The `seq` of the first record from `seq` on that changes the key. */
  rotationFrom(seq: number): Promise<number | null>;
  /** The `seq` of every record that changes the key, ascending. */
  rotations(): Promise<readonly number[]>;
}

/** A reader over an open store. `Journal` extends it with writing. */
export class StoreReader implements LogReader {
  readonly #store: JournalStore;
  readonly #tree: StoredTree;
  #size: number;

  constructor(store: JournalStore, size: number) {
    this.#store = store;
    this.#tree = new StoredTree(store);
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  async *read(fromSeq: number, toSeqExclusive: number): AsyncGenerator<TypedRecord> {
    for await (const stored of this.readStored(fromSeq, toSeqExclusive)) yield decodeAt(stored);
  }

  async *readBackwards(fromSeq: number, toSeqExclusive: number): AsyncGenerator<TypedRecord> {
    const from = Math.max(fromSeq, 0);
    let expected = Math.min(toSeqExclusive, this.#size) - 1;
    for await (const stored of this.#store.readBackwards(from, expected + 1)) {
      if (stored.seq !== expected) throw await this.#gap(expected);
      yield decodeAt(stored);
      expected -= 1;
    }
    if (expected >= from) throw await this.#gap(expected);
  }

  readFrom(seq: number): AsyncIterable<TypedRecord> {
    return this.read(seq, this.#size);
  }

  async *readStored(fromSeq: number, toSeqExclusive: number): AsyncGenerator<StoredRecord> {
    const to = Math.min(toSeqExclusive, this.#size);
    let expected = Math.max(fromSeq, 0);
    for await (const stored of this.#store.read(expected, to)) {
      if (stored.seq !== expected) throw await this.#gap(expected);
      yield stored;
      expected += 1;
    }
    if (expected < to) throw await this.#gap(expected);
  }

  async prunedBefore(): Promise<number> {
    const stored = await this.#store.object(PRUNED);
    const before = stored === null ? 0 : Number(Buffer.from(stored).toString());
    if (Number.isSafeInteger(before) && before >= 0) return before;
    throw new FemtoError("FEMTO_JOURNAL_CORRUPT", "the journal does not say how far it was pruned");
  }

  withValues(record: TypedRecord): Promise<Unsealed> {
    return unseal(record, (seq, index) => this.blob(seq, index));
  }

  blob(seq: number, index: number): Promise<Uint8Array | null> {
    return this.#store.object(blobName(seq, index));
  }

  locate(execution: string): Promise<readonly number[]> {
    return this.#store.locate(execution);
  }

  async latestSnapshot(size = this.#size): Promise<Snapshot | null> {
    const last = await this.#numberOfLast(SNAPSHOTS);
    const newest = last === null || last + 1 >= size ? null : await provedSnapshot(this, last);
    if (last === null || newest !== null) return newest;
    for (const seq of (await this.snapshots()).toReversed()) {
      const snapshot = seq + 1 >= size ? null : await provedSnapshot(this, seq);
      if (snapshot !== null) return snapshot;
    }
    return null;
  }

  oldestSnapshot(): Promise<Snapshot | null> {
    return oldestSnapshotOf(this);
  }

  async snapshotAt(seq: number): Promise<Snapshot | null> {
    const bytes = await this.#store.object(snapshotName(seq));
    return bytes === null ? null : decodeSnapshot(bytes);
  }

  snapshots(): Promise<readonly number[]> {
    return this.#numbers(SNAPSHOTS);
  }

  hashes(level: number, start: number, count: number): Promise<readonly Uint8Array[]> {
    return this.#tree.hashes(this.#size, level, start, count);
  }

  checkpoints(): Promise<readonly number[]> {
    return this.#numbers(CHECKPOINTS);
  }

  async checkpointAt(size: number): Promise<string | null> {
    const bytes = await this.#store.object(checkpointName(size));
    return bytes === null ? null : Buffer.from(bytes).toString();
  }

  async latestCheckpoint(): Promise<string | null> {
    const size = await this.#numberOfLast(CHECKPOINTS);
    return size === null ? null : await this.checkpointAt(size);
  }

  async checkpointFrom(size: number): Promise<string | null> {
    const name = await this.#store.firstObject(CHECKPOINTS, checkpointName(size));
    return name === null ? null : await this.checkpointAt(numbered(name));
  }

  async rotationFrom(seq: number): Promise<number | null> {
    const name = await this.#store.firstObject(ROTATIONS, rotationName(seq));
    return name === null ? null : numbered(name);
  }

  rotations(): Promise<readonly number[]> {
    return this.#numbers(ROTATIONS);
  }

  /** Called by a writer once further records are durable. */
  protected grow(records: number): void {
    this.#size += records;
  }

  async #numbers(prefix: string): Promise<readonly number[]> {
    return (await this.#store.objects(prefix)).map(numbered);
  }

  async #numberOfLast(prefix: string): Promise<number | null> {
    const name = await this.#store.lastObject(prefix);
    return name === null ? null : numbered(name);
  }

  async #gap(seq: number): Promise<FemtoError> {
    return gap(seq, await this.prunedBefore());
  }
}

type SnapshotReader = Pick<JournalReader, "read" | "snapshots" | "snapshotAt">;

/** The oldest stored snapshot that its record vouches for. */
export async function oldestSnapshotOf(reader: SnapshotReader): Promise<Snapshot | null> {
  for (const seq of await reader.snapshots()) {
    const snapshot = await provedSnapshot(reader, seq);
    if (snapshot !== null) return snapshot;
  }
  return null;
}

async function provedSnapshot(reader: SnapshotReader, seq: number): Promise<Snapshot | null> {
  for await (const record of reader.read(seq + 1, seq + 2)) {
    if (record.type !== "snapshot.taken") return null;
    try {
      const snapshot = await reader.snapshotAt(seq);
      return snapshot !== null && snapshotMismatch(record.body, snapshot) === undefined ? snapshot : null;
    } catch (error) {
      // A snapshot is a cache: one that cannot be read costs time, but loses nothing.
      if (error instanceof FemtoError && error.code === "FEMTO_JOURNAL_CORRUPT") return null;
      throw error;
    }
  }
  return null;
}

/** The error for a record that is not there. */
export function gap(seq: number, prunedBefore: number): FemtoError {
  if (seq >= prunedBefore) return new FemtoError("FEMTO_JOURNAL_CORRUPT", `record ${seq} is missing`);
  const reason = `record ${seq} was pruned: the journal begins at record ${prunedBefore}`;
  return new FemtoError("FEMTO_JOURNAL_PRUNED", reason);
}

/** Decodes a stored record and checks that it has the number under which it is stored. */
export function decodeAt(stored: StoredRecord): TypedRecord {
  const record = decodeRecord(stored.bytes);
  if (record.seq === stored.seq) return record;
  throw new FemtoError("FEMTO_JOURNAL_CORRUPT", `record ${stored.seq} calls itself ${record.seq}`);
}

function numbered(name: string): number {
  const number = numberOfName(name);
  if (number !== null) return number;
  throw new FemtoError("FEMTO_JOURNAL_CORRUPT", `the object ${printable(name)} has no number in its name`);
}
