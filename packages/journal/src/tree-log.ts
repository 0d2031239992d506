/** The Merkle tree as it is stored: tiles beside the records that filled them, and how to read them back. */
import { FemtoError } from "@femtoclaw/protocol";
import { EDGE, tileName } from "./records/object-name.ts";
import type { JournalStore, StoredObject } from "./store/store.ts";
import { decodeEdge, encodeEdge } from "./tree/edge.ts";
import { leafHash } from "./tree/hashing.ts";
import { hashesOf, TILE_WIDTH, TileTree } from "./tree/tiles.ts";

/** LIMIT: tiles of 8 KiB that a reader caches; a proof needs a handful, and neighbouring proofs need the same ones. */
const TILES_KEPT = 64;

/** Appends the records to the tree; returns the objects to store in the same batch. */
export function growTree(tree: TileTree, records: readonly Uint8Array[]): StoredObject[] {
  const objects: StoredObject[] = [];
  for (const record of records) {
    for (const { level, index, bytes } of tree.push(leafHash(record))) {
      objects.push({ name: tileName(level, index), bytes });
    }
  }
  if (objects.length > 0) objects.push({ name: EDGE, bytes: encodeEdge(tree) });
  return objects;
}

/**
 * The tree over the stored records. Only the records after the stored edge are hashed, which are fewer than 256
 * whatever the size. Throws FEMTO_JOURNAL_CORRUPT if the edge does not belong to this size.
 */
export async function restoreTree(store: JournalStore, size: number): Promise<TileTree> {
  const tree = await readEdge(store);
  if (tree.size > size || size - tree.size >= TILE_WIDTH) {
    throw broken(`the stored edge of the tree is of size ${tree.size} where the journal holds ${size} records`);
  }
  return await followed(store, tree, size);
}

async function readEdge(store: JournalStore): Promise<TileTree> {
  const stored = await store.object(EDGE);
  const tree = stored === null ? new TileTree() : decodeEdge(stored);
  if (tree === null) throw broken("the stored edge of the tree is damaged");
  return tree;
}

async function followed(store: JournalStore, tree: TileTree, size: number): Promise<TileTree> {
  for await (const { seq, bytes } of store.read(tree.size, size)) {
    if (seq !== tree.size) break;
    tree.push(leafHash(bytes));
  }
  if (tree.size < size) throw broken(`record ${tree.size} is missing`);
  return tree;
}

/** Reads the hashes of a stored tree: full tiles from the store, the rest from its edge. */
export class StoredTree {
  readonly #store: JournalStore;
  /** In order of use, the least recently used first. */
  readonly #tiles = new Map<string, readonly Uint8Array[]>();
  #edge: { readonly size: number; readonly tree: Promise<TileTree> } | null = null;

  constructor(store: JournalStore) {
    this.#store = store;
  }

  /** Hashes `[start, start + count)` of tree level 8·`level`, all of one tile, in the tree of `size` records. */
  async hashes(size: number, level: number, start: number, count: number): Promise<readonly Uint8Array[]> {
    const index = Math.floor(start / TILE_WIDTH);
    const end = (index + 1) * TILE_WIDTH ** (level + 1);
    const edge = end <= size ? null : await this.#unfinished(size);
    // A writer may have stored further groups meanwhile, and with them the tile that was unfinished.
    const hashes = edge === null || end <= edge.size ? await this.#tile(level, index) : edge.edge[level];
    const offset = start % TILE_WIDTH;
    const found = hashes?.slice(offset, offset + count) ?? [];
    if (found.length === count) return found;
    throw new RangeError(`a tree of size ${size} has no ${count} hashes from ${start} on at level ${level}`);
  }

  async #tile(level: number, index: number): Promise<readonly Uint8Array[]> {
    const name = tileName(level, index);
    const kept = this.#tiles.get(name);
    this.#tiles.delete(name);
    const hashes = kept ?? hashesOf((await this.#store.object(name)) ?? new Uint8Array(0)) ?? [];
    if (hashes.length !== TILE_WIDTH) throw broken(`tile ${index} of level ${level} is missing or damaged`);
    this.#tiles.set(name, hashes);
    const [oldest] = this.#tiles.keys();
    if (this.#tiles.size > TILES_KEPT && oldest !== undefined) this.#tiles.delete(oldest);
    return hashes;
  }

  async #unfinished(size: number): Promise<TileTree> {
    const edge = this.#edge?.size === size ? this.#edge : { size, tree: this.#restore(size) };
    this.#edge = edge;
    try {
      return await edge.tree;
    } catch (error) {
      // The storage may be readable again when the next reader asks.
      if (this.#edge === edge) this.#edge = null;
      throw error;
    }
  }

  async #restore(size: number): Promise<TileTree> {
    const tree = await readEdge(this.#store);
    return tree.size < size ? await followed(this.#store, tree, size) : tree;
  }
}

function broken(finding: string): FemtoError {
  return new FemtoError("FEMTO_JOURNAL_CORRUPT", finding);
}
