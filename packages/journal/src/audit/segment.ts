/**
 * Checks a segment of a log, which is 1,024 consecutive records at an aligned position, as far as that is possible
 * without the rest of the log. The result depends on the bytes of the segment alone, so any thread may do it.
 */
import { errorText, FemtoError, LIMITS, type RecordType, type TypedRecord } from "@femtoclaw/protocol";
import { KnownHeads } from "../records/known-heads.ts";
import { decodeRecord } from "../records/record.ts";
import { RecordOrder } from "../records/record-order.ts";
import type { StoredRecord } from "../store/store.ts";
import { BLOCK_BYTES, LEAF_PREFIX, LeafBlock } from "../tree/leaf-block.ts";
import { TILE_WIDTH } from "../tree/tiles.ts";
import type { PrunedLeaf } from "./pruned-leaves.ts";

const SEGMENT_RECORDS = 4 * TILE_WIDTH;
/** Marks the leaf of a pruned record, in place of the leaf prefix of a record. */
const PRUNED_PREFIX = 0xff;

export interface Segment {
  /** Sequence number of the first record, a multiple of 256. */
  readonly first: number;
  /**
   * The records in sequence, each preceded by the byte with which its leaf is hashed; or a leaf, preceded by another
   * byte.
   */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where each record or leaf ends. */
  readonly ends: Uint32Array<ArrayBuffer>;
}

export interface SegmentFindings {
  readonly first: number;
  /** Number of records that are valid in themselves and consistent with their neighbours in the segment. */
  readonly size: number;
  /** The nodes of a `LeafBlock` for each 256 of these records. */
  readonly nodes: Uint8Array<ArrayBuffer>;
  /** Those of these records that must still be compared with the tree or with what precedes the segment, ascending. */
  readonly marked: readonly TypedRecord[];
  /** What is wrong with the record after them. */
  readonly fault: SegmentFault | null;
}

interface SegmentFault {
  readonly reason: string;
  /** Whether the record is of a format that this version does not know. */
  readonly isUnknownFormat: boolean;
}

const MARKED: ReadonlySet<RecordType> = new Set([
  ...(["log.created", "key.rotated", "snapshot.taken"] as const),
  ...(["values.erased", "log.pruned"] as const),
  ...(["boot.started", "approval.asked", "approval.answered"] as const),
]);

const isMarked = ({ type, commitments }: TypedRecord): boolean => MARKED.has(type) || commitments !== undefined;

export function checkSegment({ first, bytes, ends }: Segment): SegmentFindings {
  const order = new RecordOrder();
  const heads = new KnownHeads();
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const marked: TypedRecord[] = [];
  const blocks = Math.ceil(ends.length / TILE_WIDTH);
  const nodes = new Uint8Array(blocks * BLOCK_BYTES);
  let block = new LeafBlock();
  let boot: string | null = null;
  /** Where the last valid record stands, if it is not marked. */
  let unmarked: readonly [start: number, stop: number] | null = null;
  const end = (size: number, fault: SegmentFault | null): SegmentFindings => {
    if (unmarked !== null) marked.push(decodeRecord(bytes.subarray(...unmarked)));
    return { first, size, nodes, marked, fault };
  };
  let start = 0;
  for (let index = 0; index < ends.length; index += 1) {
    const stop = ends[index] as number;
    if (index % TILE_WIDTH === 0) block = new LeafBlock(blockNodes(nodes, index / TILE_WIDTH));
    if (bytes[start] === PRUNED_PREFIX) {
      block.pushLeaf(bytes.subarray(start + 1, stop));
      start = stop;
      continue;
    }
    try {
      const known = heads.find(first + index, text, start + 1, stop);
      if (known !== undefined && known.boot === boot) {
        order.follow(known);
        unmarked = [start + 1, stop];
      } else {
        const record = order.read(first + index, bytes.subarray(start + 1, stop));
        const isToMark = record.boot !== boot || isMarked(record);
        if (isToMark) marked.push(record);
        else heads.learn(record);
        unmarked = isToMark ? null : [start + 1, stop];
        boot = record.boot;
      }
    } catch (error) {
      const isUnknownFormat = error instanceof FemtoError && error.code === "FEMTO_JOURNAL_FORMAT";
      return end(index, { reason: errorText(error), isUnknownFormat });
    }
    block.push(bytes.subarray(start, stop));
    start = stop;
  }
  return end(ends.length, null);
}

/** The checked blocks, each with the sequence number of its first record. */
export function* blocksOf({
  first,
  size,
  nodes,
}: SegmentFindings): Generator<{ readonly first: number; readonly block: LeafBlock }> {
  for (let at = 0; at < size; at += TILE_WIDTH) {
    const block = new LeafBlock(blockNodes(nodes, at / TILE_WIDTH), Math.min(TILE_WIDTH, size - at));
    yield { first: first + at, block };
  }
}

function blockNodes(nodes: Uint8Array<ArrayBuffer>, index: number): Buffer {
  return Buffer.from(nodes.buffer, index * BLOCK_BYTES, BLOCK_BYTES);
}

/** One item from a source: a segment, or finally the error that kept the source from giving more. */
type Stretch = { readonly segment: Segment } | { readonly failure: unknown };

/**
 * Cuts the records into segments. The sequence ends at the first record that is out of place and at the first error of
 * the source.
 */
export async function* segmentsOf(records: AsyncIterable<StoredRecord | PrunedLeaf>): AsyncGenerator<Stretch> {
  let first = 0;
  let kept: (StoredRecord | PrunedLeaf)[] = [];
  const cut = (): Stretch => {
    const segment = pack(first, kept);
    first += kept.length;
    kept = [];
    return { segment };
  };
  let failure: unknown = null;
  try {
    for await (const next of records) {
      const expected = first + kept.length;
      if (next.seq !== expected) {
        failure = new FemtoError("FEMTO_JOURNAL_CORRUPT", `record ${expected} is missing`);
        break;
      }
      kept.push(next);
      if (kept.length === SEGMENT_RECORDS) yield cut();
      // Whatever follows an oversized record does not count any more and would only take memory.
      if ("bytes" in next && next.bytes.byteLength > LIMITS.recordBytes) break;
    }
  } catch (error) {
    failure = error;
  }
  if (kept.length > 0) yield cut();
  if (failure !== null) yield { failure };
}

function pack(first: number, stretch: readonly (StoredRecord | PrunedLeaf)[]): Segment {
  let size = 0;
  for (const next of stretch) size += 1 + partOf(next).byteLength;
  // The buffer must not come from the shared pool, because it is transferred to another thread. All of it is written
  // below.
  const bytes = Buffer.allocUnsafeSlow(size);
  const ends = new Uint32Array(stretch.length);
  let at = 0;
  for (const [index, next] of stretch.entries()) {
    const part = partOf(next);
    bytes[at] = "leaf" in next ? PRUNED_PREFIX : LEAF_PREFIX;
    bytes.set(part, at + 1);
    at += 1 + part.byteLength;
    ends[index] = at;
  }
  return { first, bytes, ends };
}

function partOf(next: StoredRecord | PrunedLeaf): Uint8Array {
  return "leaf" in next ? next.leaf : next.bytes;
}
