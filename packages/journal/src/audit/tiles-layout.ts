/** File names and formats of an export in the layout of C2SP tlog-tiles. */
import { join } from "node:path";
import { TILE_WIDTH } from "../tree/tiles.ts";

/** LIMIT: bytes of one record in an entry bundle, where the length takes 16 bits. */
export const ENTRY_BYTES_MAX = 65_535;
export const CHECKPOINT_FILE = "checkpoint";
/** Not part of the C2SP layout: checkpoints that two keys signed, by which a reader follows a change of the key. */
export const ROTATIONS_FOLDER = "rotations";
/** Not part of the C2SP layout: the newest snapshot that the checkpoint covers, with the proof of its record. */
export const SNAPSHOTS_FOLDER = "snapshots";
/** Not part of the C2SP layout: the number below which records were pruned, and the records below it that stayed. */
export const PRUNED_FILE = "pruned";
export const KEPT_FOLDER = "kept";
const LENGTH_BYTES = 2;

export const tilePath = (level: number, index: number, width: number): string =>
  join("tile", String(level), ...placed(index, width));
export const entriesPath = (index: number, width: number): string => join("tile", "entries", ...placed(index, width));

export const snapshotPath = (seq: number): string => join(SNAPSHOTS_FOLDER, String(seq));
/** A tlog-proof of the record after the snapshot, which holds the snapshot's digests. */
export const snapshotProofPath = (seq: number): string => `${snapshotPath(seq)}.tlog-proof`;
export const keptPath = (seq: number): string => join(KEPT_FOLDER, String(seq));

/** The tiles at the right edge of a tree of this size that are not full, one per level at most. */
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

/** 1234067 becomes `x001/x234/067`; the name of a tile that is not full also tells its width. */
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

/** The records of a bundle; null if it does not hold exactly `count` of them. */
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
