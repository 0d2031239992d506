/**
 * The tree as it is kept: tiles of 256 hashes (C2SP tlog-tiles), each written once when it is full. The unfinished
 * tiles at the right edge are in memory; a start rebuilds them from the last records.
 */
import assert from "node:assert/strict";
import { EMPTY_ROOT, HASH_BYTES, nodeHash } from "./hashing.ts";

export const TILE_WIDTH = 256;
export const TILE_BYTES: number = TILE_WIDTH * HASH_BYTES;

/** A full tile: the 256 hashes of tree level 8·`level` that begin at 256·`index`. */
export interface Tile {
  readonly level: number;
  readonly index: number;
  readonly bytes: Buffer;
}

/** The hashes to the right of the last full tile on each level, lowest level first. They suffice for appending. */
type TreeEdge = readonly (readonly Uint8Array[])[];

/** The Merkle tree over a growing log. Holds only its right edge. */
export class TileTree {
  readonly #levels: UnfinishedTile[] = [];
  #size: number;

  /** Continues from an edge; without one the tree is empty. */
  constructor(edge: TreeEdge = [], size = 0) {
    assert(sizeOf(edge) === size, "the edge belongs to a tree of this size");
    this.#size = size;
    for (const hashes of edge) {
      const tile = new UnfinishedTile();
      for (const hash of hashes) tile.push(hash);
      this.#levels.push(tile);
    }
  }

  get size(): number {
    return this.#size;
  }

  get edge(): TreeEdge {
    return this.#levels.map(({ hashes }) => hashes);
  }

  /** Appends a leaf; returns the tiles that it filled, lowest first. */
  push(leaf: Uint8Array): readonly Tile[] {
    let filled: Tile[] = NONE;
    this.#size += 1;
    let hash = leaf;
    for (let level = 0; ; level += 1) {
      const tile = this.#levels[level] ?? this.#grow();
      tile.push(hash);
      if (tile.hashes.length < TILE_WIDTH) return filled;
      const index = Math.floor(this.#size / TILE_WIDTH ** (level + 1)) - 1;
      filled = [...filled, { level, index, bytes: tile.bytes }];
      hash = tile.root();
      this.#levels[level] = new UnfinishedTile();
    }
  }

  /** Root over everything pushed so far, followed by the smaller subtree with the root `right`, if given. */
  root(right: Uint8Array | null = null): Uint8Array {
    // The peaks are taken from the smallest, at the right of level 0, to the largest, at the left of the top level.
    let root = right;
    for (const { peaks } of this.#levels) {
      for (const peak of peaks.toReversed()) root = root === null ? peak : nodeHash(peak, root);
    }
    return root ?? EMPTY_ROOT;
  }

  #grow(): UnfinishedTile {
    const tile = new UnfinishedTile();
    this.#levels.push(tile);
    return tile;
  }
}

const NONE: Tile[] = [];

/**
 * Hashes of a tile that is not full, and the roots of the full subtrees among them. The hashes are copied into the
 * tile's own memory: as it arrives, a hash shares a slab of 64 KiB with other buffers and would keep all of it alive
 * until the tile is full.
 */
class UnfinishedTile {
  readonly bytes: Buffer = Buffer.allocUnsafeSlow(TILE_BYTES);
  readonly hashes: Uint8Array[] = [];
  /**
   * Largest first, one for each bit set in the number of hashes. A root is computed from these without folding again.
   */
  readonly peaks: Uint8Array[] = [];

  push(hash: Uint8Array): void {
    const from = this.hashes.length * HASH_BYTES;
    const own = this.bytes.subarray(from, from + HASH_BYTES);
    own.set(hash);
    let peak: Uint8Array = own;
    for (let count = this.hashes.length; count % 2 === 1; count = (count - 1) / 2) {
      peak = nodeHash(this.peaks.pop() ?? EMPTY_ROOT, peak);
    }
    this.peaks.push(peak === own ? own : Uint8Array.from(peak));
    this.hashes.push(own);
  }

  /** Hash of the full tile. */
  root(): Uint8Array {
    const [root, ...others] = this.peaks;
    assert(root !== undefined && others.length === 0, "the tile is full");
    return root;
  }
}

function sizeOf(edge: TreeEdge): number {
  return edge.reduce((size, hashes, level) => size + hashes.length * TILE_WIDTH ** level, 0);
}

/** The hashes in a tile's bytes; null if these are not a whole number of hashes. */
export function hashesOf(bytes: Uint8Array): Uint8Array[] | null {
  if (bytes.byteLength % HASH_BYTES !== 0) return null;
  return Array.from({ length: bytes.byteLength / HASH_BYTES }, (_, index) =>
    bytes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES),
  );
}
