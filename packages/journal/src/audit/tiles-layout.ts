/** Names and contents of an export in the layout of C2SP tlog-tiles. */
import { join } from "node:path";
import { TILE_WIDTH } from "../tree/tiles.ts";

/** LIMIT: bytes of one record in an entry bundle, which has 16 bits for its length. */
export const ENTRY_BYTES_MAX = 65_535;
export const CHECKPOINT_FILE = "checkpoint";
/** Not of the layout: checkpoints that two keys signed, by which a reader follows a change of the key. */
export const ROTATIONS_FOLDER = "rotations";
/** Not of the layout either: the newest snapshot that the checkpoint covers, and the proof of its record. */
export const SNAPSHOTS_FOLDER = "snapshots";
/** Not of the layout: the number below which records were pruned, and those below it that stayed. */
export const PRUNED_FILE = "pruned";
export const KEPT_FOLDER = "kept";
const LENGTH_BYTES = 2;

export const tilePath = (level: number, index: number, width: number): string =>
  join("tile", String(level), ...placed(index, width));
export const entriesPath = (index: number, width: number): string => join("tile", "entries", ...placed(index, width));

export const snapshotPath = (seq: number): string => join(SNAPSHOTS_FOLDER, String(seq));
/** A tlog-proof of the record after it, which has its digests. */
export const snapshotProofPath = (seq: number): string => `${snapshotPath(seq)}.tlog-proof`;
export const keptPath = (seq: number): string => join(KEPT_FOLDER, String(seq));

/** A tile of every level that a tree of this size has at its right edge, where it is not full. */
export function partialTiles(
  size: number,
): { readonly level: number; readonly index: number; readonly width: number }[] {
  const tiles: { level: number; index: number; width: number }[] = [];
  for (let level = 0, count = size; count > 0; level += 1, count = Math.floor(count / TILE_WIDTH)) {
    const width = count % TILE_WIDTH;
    if (width > 0) tiles.push({ level, index: Math.floor(count / TILE_WIDTH), width });
  }
  return tiles;
}

/** 1234067 stands in `x001/x234/067`; a tile that is not full says how wide it is. */
function placed(index: number, width: number): string[] {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/.{3}/g) ?? [];
  const last = groups.pop() ?? "";
  const names = [...groups.map((group) => `x${group}`), width === TILE_WIDTH ? last : `${last}.p`];
  return width === TILE_WIDTH ? names : [...names, String(width)];
}

export function joinEntries(records: readonly Uint8Array[]): Buffer {
  const parts = records.flatMap((record) => {
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt16BE(record.byteLength);
    return [length, record];
  });
  return Buffer.concat(parts);
}

/** The records of a bundle; null when it does not hold exactly so many. */
export function splitEntries(bundle: Buffer, count: number): Buffer[] | null {
  const records: Buffer[] = [];
  let at = 0;
  while (at + LENGTH_BYTES <= bundle.length) {
    const end = at + LENGTH_BYTES + bundle.readUInt16BE(at);
    if (end > bundle.length) return null;
    records.push(bundle.subarray(at + LENGTH_BYTES, end));
    at = end;
  }
  return at === bundle.length && records.length === count ? records : null;
}
