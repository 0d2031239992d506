/**
 * The subtree over up to 256 consecutive records, the width of one tile, with all its inner nodes. The root over any
 * number of its leaves can be told without hashing them again. All nodes are in one buffer, so that threads can hand it
 * over.
 */
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { HASH_BYTES, nodeHash } from "./hashing.ts";
import { TILE_WIDTH } from "./tiles.ts";

const LEVELS: number = Math.log2(TILE_WIDTH) + 1;
/** The leaves come first, then each level, half as wide as the one below. */
const LEVEL_PLACES: readonly number[] = Array.from(
  { length: LEVELS },
  (_, level) => 2 ** LEVELS - 2 ** (LEVELS - level),
);
export const BLOCK_BYTES: number = (2 * TILE_WIDTH - 1) * HASH_BYTES;
/** The byte with which a record is prefixed for hashing. */
export const LEAF_PREFIX = 0x00;
const NODE_PREFIX = 0x01;

export class LeafBlock {
  readonly #nodes: Buffer;
  readonly #pair = Buffer.alloc(1 + 2 * HASH_BYTES, NODE_PREFIX);
  #size: number;

  /** Writes into `nodes`, or continues a block of this size that is already in there. */
  constructor(nodes: Buffer = Buffer.alloc(BLOCK_BYTES), size = 0) {
    assert(nodes.byteLength === BLOCK_BYTES, "a block has room for all its nodes");
    this.#nodes = nodes;
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  /** The hashes of the leaves, as in a tile. */
  get leaves(): Buffer {
    return this.#nodes.subarray(0, this.#size * HASH_BYTES);
  }

  /** Appends a record, given with `LEAF_PREFIX` before it. */
  push(prefixed: Uint8Array): void {
    assert(this.#size < TILE_WIDTH, "the block has room");
    this.#nodes.write(hash("sha256", prefixed, "binary"), placeOf(0, this.#size), HASH_BYTES, "binary");
    this.#grow();
  }

  /** Appends the leaf of a record that is not there any more. */
  pushLeaf(leaf: Uint8Array): void {
    assert(this.#size < TILE_WIDTH && leaf.byteLength === HASH_BYTES, "the block has room");
    this.#nodes.set(leaf, placeOf(0, this.#size));
    this.#grow();
  }

  /** Counts the leaf just written and computes the nodes that it completes. */
  #grow(): void {
    let index = this.#size;
    this.#size += 1;
    for (let level = 0; index % 2 === 1; level += 1) {
      const left = placeOf(level, index - 1);
      this.#nodes.copy(this.#pair, 1, left, left + 2 * HASH_BYTES);
      index = (index - 1) / 2;
      this.#nodes.write(hash("sha256", this.#pair, "binary"), placeOf(level + 1, index), HASH_BYTES, "binary");
    }
  }

  /** Root over the first `size` leaves; null if that is 0. */
  root(size = this.#size): Uint8Array | null {
    let root: Uint8Array | null = null;
    for (let level = 0, rest = size; rest > 0; level += 1, rest = Math.floor(rest / 2)) {
      if (rest % 2 === 0) continue;
      const place = placeOf(level, rest - 1);
      const peak = this.#nodes.subarray(place, place + HASH_BYTES);
      root = root === null ? peak : nodeHash(peak, root);
    }
    return root;
  }
}

function placeOf(level: number, index: number): number {
  return ((LEVEL_PLACES[level] ?? 0) + index) * HASH_BYTES;
}
