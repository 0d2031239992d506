/** What a verifier reads: a log as somebody hands it over, of whom nothing is believed. */
import { FemtoError, printable } from "@femtoclaw/protocol";
import { StoreReader } from "../journal-reader.ts";
import {
  BLOBS,
  CHECKPOINTS,
  checkpointName,
  EDGE,
  numberOfName,
  placeOfBlob,
  tileName,
  tilesOf,
} from "../records/object-name.ts";
import type { JournalStore, StoredRecord } from "../store/store.ts";
import { encodeEdge } from "../tree/edge.ts";
import { hashesOf, TILE_WIDTH, type TileTree } from "../tree/tiles.ts";
import { ObjectsAhead } from "./objects-ahead.ts";

/** What is verified: a store, a copy of one, or an export. */
export interface LogSource {
  /** The records, oldest first; the verifier counts them itself. */
  records(): AsyncIterable<StoredRecord>;
  /** Sizes of the trees that have a checkpoint, ascending. */
  checkpoints(): Promise<readonly number[]>;
  /** The signed note over the tree of this size; null where there is none. */
  checkpoint(size: number): Promise<string | null>;
  /** A full tile, null where it is missing. */
  tile(level: number, index: number): Promise<Uint8Array | null>;
  /** Hashes that are stored for these records, which lie in one tile; null where there are none. They prove nothing. */
  leaves(first: number, count: number): Promise<readonly Uint8Array[] | null>;
  /** Index of the last full tile of level 0, where that can be told without the size. */
  lastTile(): Promise<number | null>;
  /** What is wrong with the unfinished tiles of this tree, if anything. */
  edgeFault(tree: TileTree): Promise<string | undefined>;
  /** Records below this number are said to have been pruned. */
  prunedBefore(): Promise<number>;
  /** Whether every value that was not erased has to be there. */
  readonly hasAllValues: boolean;
  /** What opens the commitments, in the order of records and of the commitments in each. */
  values(): AsyncIterable<StoredValue>;
}

/** A salt, and behind it the value where that is kept. */
export interface StoredValue {
  readonly seq: number;
  /** Which of the record's commitments it opens. */
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** Something that an export should have and has not: no forgery, and no proof of anything either. */
export class MissingPart extends Error {
  readonly seq: number;

  constructor(seq: number, message: string) {
    super(message);
    this.seq = seq;
  }
}

/** The log in an open store to which nobody writes. */
export class StoreSource implements LogSource {
  readonly #store: JournalStore;
  readonly #size: number;
  readonly #checkpoints: ObjectsAhead;
  /** Those of each level by themselves, because a verification asks for tiles of several levels in turn. */
  readonly #tiles = new Map<number, ObjectsAhead>();

  /** `size` is what the store told when it was opened. */
  constructor(store: JournalStore, size: number) {
    this.#store = store;
    this.#size = size;
    this.#checkpoints = new ObjectsAhead(store, CHECKPOINTS);
  }

  records(): AsyncIterable<StoredRecord> {
    return this.#store.read(0, this.#size);
  }

  async checkpoints(): Promise<readonly number[]> {
    return (await this.#store.objects(CHECKPOINTS)).map((name) => numberOfName(name) ?? Number.NaN);
  }

  async checkpoint(size: number): Promise<string | null> {
    const bytes = await this.#checkpoints.object(checkpointName(size));
    return bytes === null ? null : Buffer.from(bytes).toString();
  }

  async tile(level: number, index: number): Promise<Uint8Array | null> {
    const tiles = this.#tiles.get(level) ?? new ObjectsAhead(this.#store, tilesOf(level));
    this.#tiles.set(level, tiles);
    return await tiles.object(tileName(level, index));
  }

  async leaves(first: number, count: number): Promise<readonly Uint8Array[] | null> {
    const tile = await this.#store.object(tileName(0, Math.floor(first / TILE_WIDTH)));
    const start = first % TILE_WIDTH;
    return tile === null ? null : (hashesOf(tile)?.slice(start, start + count) ?? null);
  }

  async lastTile(): Promise<number | null> {
    const name = await this.#store.lastObject(tilesOf(0));
    return name === null ? null : (numberOfName(name) ?? Number.POSITIVE_INFINITY);
  }

  async edgeFault(tree: TileTree): Promise<string | undefined> {
    const stored = await this.#store.object(EDGE);
    const expected = tree.size < TILE_WIDTH ? null : encodeEdge(tree);
    const same = expected === null ? stored === null : stored !== null && expected.equals(stored);
    return same ? undefined : "the stored edge of the tree is not that of its records";
  }

  prunedBefore(): Promise<number> {
    return new StoreReader(this.#store, this.#size).prunedBefore();
  }

  readonly hasAllValues = true;

  async *values(): AsyncGenerator<StoredValue> {
    for (const name of await this.#store.objects(BLOBS)) {
      const place = placeOfBlob(name);
      const bytes = await this.#store.object(name);
      if (place === null) throw new FemtoError("FEMTO_JOURNAL_CORRUPT", `the blob ${printable(name)} has no place`);
      if (bytes !== null) yield { ...place, bytes };
    }
  }
}
