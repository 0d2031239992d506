/** The input of a verification: a log as somebody presents it. Nothing in it is trusted. */
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

/** The log to verify: a store, a copy of one, or an export. */
export interface LogSource {
  /** The records, oldest first. The verifier checks their numbers itself. */
  records(): AsyncIterable<StoredRecord>;
  /** Sizes of the trees that have a checkpoint, ascending. */
  checkpoints(): Promise<readonly number[]>;
  /** The signed note over the tree of this size; null if there is none. */
  checkpoint(size: number): Promise<string | null>;
  /** A full tile; null if it is missing. */
  tile(level: number, index: number): Promise<Uint8Array | null>;
  /** The hashes stored for these records, which lie in one tile; null if there are none. They prove nothing. */
  leaves(first: number, count: number): Promise<readonly Uint8Array[] | null>;
  /** Index of the last full tile of level 0; null if that cannot be told without the size of the log. */
  lastTile(): Promise<number | null>;
  /** What is wrong with the stored unfinished tiles of this tree, if anything. */
  edgeFault(tree: TileTree): Promise<string | undefined>;
  /** The number below which records are said to have been pruned. */
  prunedBefore(): Promise<number>;
  /** Whether every value that was not erased must be present. */
  readonly hasAllValues: boolean;
  /** The stored values, in the order of their records and of the commitments within each record. */
  values(): AsyncIterable<StoredValue>;
}

/** The salt that opens a commitment, followed by the value if that is still kept. */
export interface StoredValue {
  readonly seq: number;
  /** Index of the commitment within the record. */
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** A part that an export should have but lacks. This proves no forgery, but it does not let the log pass either. */
export class MissingPart extends Error {
  readonly seq: number;

  constructor(seq: number, message: string) {
    super(message);
    this.seq = seq;
  }
}

/** The log in an open store that nobody writes to. */
export class StoreSource implements LogSource {
  readonly #store: JournalStore;
  readonly #size: number;
  readonly #checkpoints: ObjectsAhead;
  /** One reader per level, because a verification asks for tiles of several levels in turn. */
  readonly #tiles = new Map<number, ObjectsAhead>();

  /** `size` is what the store reported when it was opened. */
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
