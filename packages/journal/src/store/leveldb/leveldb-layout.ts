/**
 * The keys and values in LevelDB. This layout may change with its version, but the bytes of records never do. A commit
 * group is one value, because LevelDB's cost per entry by far exceeds its cost per byte.
 */
import { FemtoError } from "@femtoclaw/protocol";
import type { StoredRecord } from "../store.ts";

export const LAYOUT_KEY = "layout";
export const LAYOUT = "femtoclaw journal 1";

const GROUP = "r";
const OBJECT = "o";
const INDEX = "x";
/** Marks a key that was removed but whose value may still lie in a file. */
const REMOVED = "z";
/** Marks that index entries of removed records may still exist. */
const UNINDEXED = "y";
/** Holds every safe integer, so that the order of keys is the order of numbers. */
const SEQ_DIGITS = 14;
const LENGTH_BYTES = 4;

interface KeyRange {
  readonly gte: string;
  readonly lt: string;
}

export const groupKey = (firstSeq: number): string => GROUP + seqDigits(firstSeq);
export const objectKey = (name: string): string => OBJECT + name;
export const indexKey = (execution: string, seq: number): string => indexPrefix(execution) + seqDigits(seq);

export const groupRange = (firstSeq: number, toSeqExclusive: number): KeyRange => ({
  gte: groupKey(firstSeq),
  lt: groupKey(toSeqExclusive),
});
export const allGroups: KeyRange = { gte: GROUP, lt: `${GROUP}g` };
/** Names are ASCII, so everything with this prefix sorts before the prefix followed by a character beyond ASCII. */
export const objectRange = (prefix: string): KeyRange => ({ gte: objectKey(prefix), lt: `${objectKey(prefix)}\u0080` });
/** The part of that range which is not before `from`. */
export function objectRangeFrom(prefix: string, from: string): KeyRange {
  const { gte, lt } = objectRange(prefix);
  const start = objectKey(from);
  return { gte: start < gte ? gte : start, lt };
}
export const allIndexes: KeyRange = { gte: INDEX, lt: `${INDEX}~` };
export const removedKey = (key: string): string => REMOVED + key;
export const allRemoved: KeyRange = { gte: REMOVED, lt: `${REMOVED}~` };
/** Says that index entries of records below `before` have to be removed. The value lists the records that stay. */
export const unindexedKey = (before: number): string => UNINDEXED + seqDigits(before);
export const allUnindexed: KeyRange = { gte: UNINDEXED, lt: `${UNINDEXED}~` };
/** The removed key that this mark stands for. */
export const keyOfRemoved = (key: string): string => key.slice(REMOVED.length);
export const indexRange = (execution: string): KeyRange => ({
  gte: indexPrefix(execution),
  lt: `${indexPrefix(execution)}g`,
});

/** The sequence number at the end of any of these keys. */
export function seqOfKey(key: string): number {
  const digits = key.slice(-SEQ_DIGITS);
  if (!/^[0-9a-f]{14}$/.test(digits)) throw broken(`the key ${JSON.stringify(key)} has no sequence number`);
  return Number.parseInt(digits, 16);
}

function seqDigits(seq: number): string {
  return seq.toString(16).padStart(SEQ_DIGITS, "0");
}

/** The name of the object under this key. */
export const nameOfKey = (key: string): string => key.slice(OBJECT.length);

/** The length comes first, so that the prefix of one execution is never the beginning of another's. */
function indexPrefix(execution: string): string {
  return `${INDEX}${execution.length}:${execution}:`;
}

export function joinGroup(records: readonly Uint8Array[]): Buffer {
  const total = records.reduce((sum, record) => sum + LENGTH_BYTES + record.byteLength, 0);
  const value = Buffer.allocUnsafe(total);
  let at = 0;
  for (const record of records) {
    at = value.writeUInt32BE(record.byteLength, at);
    value.set(record, at);
    at += record.byteLength;
  }
  return value;
}

/** The records of one value, oldest first. */
export function splitGroup(firstSeq: number, value: Buffer): StoredRecord[] {
  const records: StoredRecord[] = [];
  for (let at = 0; at < value.length; ) {
    const start = at + LENGTH_BYTES;
    const end = start <= value.length ? start + value.readUInt32BE(at) : Number.POSITIVE_INFINITY;
    if (end > value.length) throw broken(`the commit group of record ${firstSeq} ends within a record`);
    records.push({ seq: firstSeq + records.length, bytes: value.subarray(start, end) });
    at = end;
  }
  return records;
}

function broken(finding: string): FemtoError {
  return new FemtoError("FEMTO_JOURNAL_CORRUPT", finding);
}
