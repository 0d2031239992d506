/**
 * Names of the objects that are stored beside the records. Numbers have a fixed width, so that the names of one kind
 * sort in the order of their numbers.
 */

/** Enough for every safe integer. */
const DIGITS = 16;
const LEVEL_DIGITS = 2;
const BLOB_DIGITS = 4;

export const SNAPSHOTS = "snapshot/";
export const CHECKPOINTS = "checkpoint/";
export const TILES = "tile/";
/** What opens the commitments of a record: salts, and the values that are kept beside it. */
export const BLOBS = "blob/";
/** Mark the records that changed the key, so that a start can find them without reading all records. */
export const ROTATIONS = "rotation/";
/** The number below which records were dropped; missing if none were. */
export const PRUNED = "pruned";
/** The unfinished tiles of the tree. */
export const EDGE = "edge";

export const snapshotName = (seq: number): string => SNAPSHOTS + digits(seq);
export const checkpointName = (size: number): string => CHECKPOINTS + digits(size);
/** Names of the blobs of one record, in the order of its commitments. */
const blobsOf = (seq: number): string => `${BLOBS}${digits(seq)}/`;
export const blobName = (seq: number, index: number): string => blobsOf(seq) + String(index).padStart(BLOB_DIGITS, "0");
export const rotationName = (seq: number): string => ROTATIONS + digits(seq);
/** Names of the tiles of one level, in the order of their numbers. */
export const tilesOf = (level: number): string => `${TILES}${String(level).padStart(LEVEL_DIGITS, "0")}/`;
export const tileName = (level: number, index: number): string => tilesOf(level) + digits(index);

/** The number at the end of a name of one of these kinds; null if there is none. */
export function numberOfName(name: string): number | null {
  const decimal = /\/([0-9]{16})$/.exec(name)?.[1];
  const number = Number(decimal);
  return decimal !== undefined && Number.isSafeInteger(number) ? number : null;
}

/** The commitment that a blob of this name opens; null if this is no blob's name. */
export function placeOfBlob(name: string): { readonly seq: number; readonly index: number } | null {
  const [, seq, index] = /^blob\/([0-9]{16})\/([0-9]{4})$/.exec(name) ?? [];
  return seq === undefined || !Number.isSafeInteger(Number(seq)) ? null : { seq: Number(seq), index: Number(index) };
}

function digits(number: number): string {
  return String(number).padStart(DIGITS, "0");
}
