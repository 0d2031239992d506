/**
 * The Merkle tree over a log that is read block by block. It can stop at any size within a block and tell the root
 * there.
 */
import assert from "node:assert/strict";
import { HASH_BYTES } from "../tree/hashing.ts";
import { LeafBlock } from "../tree/leaf-block.ts";
import { hashesOf, TILE_WIDTH, type Tile, TileTree } from "../tree/tiles.ts";

export class RecordTree {
  /** The upper tree, whose leaves are the roots of full blocks. */
  readonly #above = new TileTree();
  #block = new LeafBlock();
  #within = 0;

  /** Number of records that the tree covers. */
  get size(): number {
    return this.#above.size * TILE_WIDTH + this.#within;
  }

  root(): Uint8Array {
    return this.#above.root(this.#block.root(this.#within));
  }

  /** Hashes of the records taken so far from the current block: the last ones of the tree. */
  get newest(): readonly Uint8Array[] {
    return hashesOf(this.#block.leaves.subarray(0, this.#within * HASH_BYTES)) ?? [];
  }

  /** Takes the block that begins at the current size. */
  take(block: LeafBlock): void {
    assert(this.#within === 0, "a block follows full ones");
    this.#block = block;
  }

  /** Extends the tree to this size, which lies within the current block. */
  advance(size: number): void {
    const within = size - this.#above.size * TILE_WIDTH;
    assert(within >= this.#within && within <= this.#block.size, "the tree grows within its block");
    this.#within = within;
  }

  /** The tiles that are full at this size, lowest level first. */
  fill(): readonly Tile[] {
    const root = this.#block.root();
    if (this.#within < TILE_WIDTH || root === null) return [];
    const lowest = { level: 0, index: this.#above.size, bytes: this.#block.leaves };
    const above = this.#above.push(root);
    this.#block = new LeafBlock();
    this.#within = 0;
    return [lowest, ...above.map(({ level, ...tile }) => ({ ...tile, level: level + 1 }))];
  }

  /** The same tree in the form from which a journal continues. */
  toTileTree(): TileTree {
    return new TileTree([this.newest, ...this.#above.edge], this.size);
  }
}
