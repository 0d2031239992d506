/** The bounded queue of what waits for the next commit group, in the order of sequence numbers. */
import { FemtoError, LIMITS, type RecordType, type TypedRecord } from "@femtoclaw/protocol";
import type { RecordFrame } from "./records/frames.ts";
import type { Removal, StoredObject } from "./store/store.ts";

/** LIMIT: bytes of records that wait; more than this means that the disk has stalled. */
const QUEUE_BYTES = 128 << 20;
/**
 * LIMIT: places beyond the queue's bound, kept for records that have to be written: an outcome for each place that
 * `LIMITS.outcomes` gives out, and what the runtime records about itself, including a halt and its end.
 */
const KEPT_RECORDS = 1_024;
/** Records that proposers can cause at will. All others may use the kept places. */
const ORDINARY: ReadonlySet<RecordType> = new Set([
  ...(["message.recorded", "execution.refused", "approval.asked", "execution.intent"] as const),
  ...(["session.opened", "session.closed", "terminal.opened", "terminal.recorded"] as const),
]);
/** LIMIT: bytes of one commit group, because LevelDB copies it several times; a larger record goes alone. */
const GROUP_BYTES = 8 << 20;

interface QueuedRecord {
  readonly kind: "record";
  readonly record: TypedRecord;
  readonly bytes: Buffer;
  readonly blobs: readonly StoredObject[];
  /** What is removed from the store in the same batch that adds the record. */
  readonly removal: Removal | undefined;
  readonly resolve: () => void;
  readonly reject: (error: FemtoError) => void;
}

/** The place of a snapshot's record. Its body is known only once all records before it are applied. */
export interface QueuedSnapshot {
  readonly kind: "snapshot";
  readonly frame: RecordFrame;
  readonly resolve: () => void;
  readonly reject: (error: FemtoError) => void;
}

/** Asks for a checkpoint over everything before it. */
interface QueuedCheckpoint {
  readonly kind: "checkpoint";
  readonly resolve: () => void;
  readonly reject: (error: FemtoError) => void;
}

export type QueuedItem = QueuedRecord | QueuedSnapshot | QueuedCheckpoint;

export class CommitQueue {
  #items: QueuedItem[] = [];
  #bytes = 0;

  get length(): number {
    return this.#items.length;
  }

  /**
   * INVARIANT: the queue is bounded in records and in bytes, and an entry that does not fit is refused before it gets a
   * number. Call it without a type for a snapshot or a checkpoint. Both may use the kept places, because a stop needs
   * them.
   */
  assertRoom(bytes: number, type?: RecordType): void {
    const isOrdinary = type !== undefined && ORDINARY.has(type);
    if (this.#items.length >= LIMITS.journalQueueRecords + (isOrdinary ? 0 : KEPT_RECORDS)) {
      throw new FemtoError("FEMTO_JOURNAL_OVERLOADED", `${this.#items.length} records wait to become durable`);
    }
    if (isOrdinary && this.#bytes + bytes > QUEUE_BYTES) {
      throw new FemtoError("FEMTO_JOURNAL_OVERLOADED", `${this.#bytes} bytes wait to become durable`);
    }
  }

  push(item: QueuedItem): void {
    this.#items.push(item);
    this.#bytes += bytesOf(item);
  }

  /**
   * Takes the items of the next group. A snapshot ends its group because it is stored with that group, and a checkpoint
   * ends it because it is signed after that group.
   */
  take(): QueuedItem[] {
    let count = 0;
    let bytes = 0;
    for (const item of this.#items) {
      if (count >= LIMITS.journalGroupRecords || (count > 0 && bytes + bytesOf(item) > GROUP_BYTES)) break;
      count += 1;
      bytes += bytesOf(item);
      if (item.kind !== "record") break;
    }
    this.#bytes -= bytes;
    if (count < this.#items.length) return this.#items.splice(0, count);
    const all = this.#items;
    this.#items = [];
    return all;
  }

  takeAll(): QueuedItem[] {
    const all = this.#items;
    this.#items = [];
    this.#bytes = 0;
    return all;
  }
}

function bytesOf(item: QueuedItem): number {
  return item.kind === "record" ? sealedBytes(item) : 0;
}

/** Bytes of a record and of everything that is stored beside it. */
export function sealedBytes({ bytes, blobs }: Pick<QueuedRecord, "bytes" | "blobs">): number {
  let sum = bytes.byteLength;
  for (const blob of blobs) sum += blob.bytes.byteLength;
  return sum;
}
