/** An exported folder of tiles as the input of a verification or a replay. No database is needed. */
import { constants } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { FemtoError, systemErrorCode } from "@femtoclaw/protocol";
import type { StoredRecord } from "../store/store.ts";
import { parseCheckpoint } from "../tree/checkpoint.ts";
import { hashesOf, TILE_BYTES, TILE_WIDTH, type TileTree } from "../tree/tiles.ts";
import { type LogSource, MissingPart, type StoredValue } from "./log-source.ts";
import {
  CHECKPOINT_FILE,
  ENTRY_BYTES_MAX,
  entriesPath,
  KEPT_FOLDER,
  keptPath,
  PRUNED_FILE,
  partialTiles,
  ROTATIONS_FOLDER,
  SNAPSHOTS_FOLDER,
  snapshotPath,
  splitEntries,
  tilePath,
} from "./tiles-layout.ts";
import { readValues, valuesFileOf } from "./values-file.ts";

/** LIMIT: bytes of a note; one with many signatures has a few thousand. */
const NOTE_BYTES_MAX = 65_536;
/** LIMIT: bytes of a snapshot; that of a busy runtime has some hundred thousand. */
const SNAPSHOT_BYTES_MAX = 67_108_864;
/** LIMIT: bytes of a file that holds one number. */
const NUMBER_BYTES_MAX = 16;
const BUNDLE_BYTES_MAX = TILE_WIDTH * (ENTRY_BYTES_MAX + 2);

/** An export as a tree of files, for `verifyLog`. */
export class TilesSource implements LogSource {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The records from `fromSeq` on; earlier ones may be missing from the folder. */
  async *records(fromSeq = 0): AsyncGenerator<StoredRecord> {
    const size = await this.size();
    const begin = await this.prunedBefore();
    if (fromSeq < begin) yield* this.#kept(fromSeq, begin);
    const from = Math.max(fromSeq, begin);
    for (let first = from - (from % TILE_WIDTH); first < size; first += TILE_WIDTH) {
      const width = Math.min(TILE_WIDTH, size - first);
      const index = first / TILE_WIDTH;
      const bundle = await this.#read(entriesPath(index, width), BUNDLE_BYTES_MAX);
      if (bundle === null) throw new MissingPart(first, `the bundle of records from ${first} on is missing`);
      const records = splitEntries(bundle, width);
      if (records === null) throw damaged(`the bundle of records from ${first} on is damaged`);
      for (const [offset, bytes] of records.entries()) {
        if (first + offset >= from) yield { seq: first + offset, bytes };
      }
    }
  }

  async prunedBefore(): Promise<number> {
    const claimed = (await this.#read(PRUNED_FILE, NUMBER_BYTES_MAX))?.toString() ?? "0";
    const before = /^[0-9]{1,16}$/.test(claimed) ? Number(claimed) : Number.NaN;
    if (Number.isSafeInteger(before) && before % TILE_WIDTH === 0) return before;
    throw damaged("how far the log was pruned is no multiple of 256");
  }

  async checkpoints(): Promise<readonly number[]> {
    const sizes = await this.#numbersIn(ROTATIONS_FOLDER);
    return [...new Set([...sizes, await this.size()])].sort((left, right) => left - right);
  }

  /** The number of the last record that each snapshot claims to cover, ascending. */
  async snapshots(): Promise<readonly number[]> {
    const names = await this.#names(SNAPSHOTS_FOLDER);
    const seqs = names.filter((name) => /^(?:0|[1-9][0-9]{0,14})$/.test(name)).map(Number);
    return seqs.sort((left, right) => left - right);
  }

  async snapshot(seq: number): Promise<Uint8Array | null> {
    return await this.#read(snapshotPath(seq), SNAPSHOT_BYTES_MAX);
  }

  /** Hashes of one tile, full or at the edge; null if they are missing. */
  async hashes(level: number, start: number, count: number): Promise<readonly Uint8Array[] | null> {
    const index = Math.floor(start / TILE_WIDTH);
    const width = Math.min(TILE_WIDTH, Math.floor((await this.size()) / TILE_WIDTH ** level) - index * TILE_WIDTH);
    const tile = width < 1 ? null : await this.#read(tilePath(level, index, width), TILE_BYTES);
    const offset = start % TILE_WIDTH;
    const found = hashesOf(tile ?? new Uint8Array(0))?.slice(offset, offset + count) ?? [];
    return found.length === count ? found : null;
  }

  async checkpoint(size: number): Promise<string | null> {
    const file = size === (await this.size()) ? CHECKPOINT_FILE : join(ROTATIONS_FOLDER, String(size));
    return (await this.#read(file, NOTE_BYTES_MAX))?.toString() ?? null;
  }

  async tile(level: number, index: number): Promise<Uint8Array | null> {
    return await this.#read(tilePath(level, index, TILE_WIDTH), TILE_BYTES);
  }

  leaves(first: number, count: number): Promise<readonly Uint8Array[] | null> {
    return this.hashes(0, first, count);
  }

  /** Unknown: files beyond the size in the checkpoint are not part of the log. */
  async lastTile(): Promise<number | null> {
    return null;
  }

  async edgeFault(tree: TileTree): Promise<string | undefined> {
    for (const { level, index, width } of partialTiles(tree.size)) {
      const stored = await this.#read(tilePath(level, index, width), TILE_BYTES);
      const first = index * TILE_WIDTH ** (level + 1);
      if (stored === null) throw new MissingPart(first, `tile ${index} of level ${level} is missing`);
      if (!Buffer.concat(tree.edge[level] ?? []).equals(stored)) {
        return `tile ${index} of level ${level} is not that of its records`;
      }
    }
    return undefined;
  }

  /** An export may come without values, and one made from a running host may lack those erased meanwhile. */
  readonly hasAllValues = false;

  values(): AsyncIterable<StoredValue> {
    return readValues(valuesFileOf(this.#folder));
  }

  async *#kept(from: number, before: number): AsyncGenerator<StoredRecord> {
    for (const seq of (await this.#numbersIn(KEPT_FOLDER)).sort((left, right) => left - right)) {
      if (!(seq < before)) throw damaged(`${KEPT_FOLDER} holds what is no record below ${before}`);
      if (seq < from) continue;
      const bytes = await this.#read(keptPath(seq), ENTRY_BYTES_MAX);
      if (bytes !== null) yield { seq, bytes };
    }
  }

  /** The numbers that the files of this folder have as names, NaN for any other name; empty if there is no folder. */
  async #numbersIn(folder: string): Promise<number[]> {
    const names = await this.#names(folder);
    return names.map((name) => (/^[0-9]{1,16}$/.test(name) ? Number(name) : Number.NaN));
  }

  /** The size that the checkpoint claims, before its signature was checked. */
  async size(): Promise<number> {
    const note = await this.#read(CHECKPOINT_FILE, NOTE_BYTES_MAX);
    if (note === null) throw new MissingPart(0, "the checkpoint is missing");
    const text = note.toString();
    const checkpoint = parseCheckpoint(text.slice(0, text.indexOf("\n\n") + 1));
    if (checkpoint === null) throw damaged("the checkpoint is not made of the three lines origin, size and root");
    return checkpoint.size;
  }

  async #names(folder: string): Promise<string[]> {
    return await readdir(join(this.#folder, folder)).catch((error: unknown) => {
      if (systemErrorCode(error) === "ENOENT") return [];
      throw damaged(`${folder} cannot be read: ${systemErrorCode(error)}`);
    });
  }

  /** Null if the file is missing. Anything but a regular file of the allowed size counts as damage. */
  async #read(path: string, bytesMax: number): Promise<Buffer | null> {
    try {
      const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
      const file = await open(join(this.#folder, path), flags);
      try {
        const status = await file.stat();
        if (!status.isFile() || status.size > bytesMax) throw damaged(`${path} is no file of this layout`);
        return await file.readFile();
      } finally {
        await file.close();
      }
    } catch (error) {
      if (systemErrorCode(error) === "ENOENT") return null;
      throw error instanceof FemtoError ? error : damaged(`${path} cannot be read: ${systemErrorCode(error)}`);
    }
  }
}

function damaged(finding: string): FemtoError {
  return new FemtoError("FEMTO_JOURNAL_CORRUPT", finding);
}
