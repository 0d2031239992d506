/** The tree over a log as its blocks come in: how far it was followed within a block, and the root at that point. */
import assert from "node:assert/strict";
import { HASH_BYTES } from "../tree/hashing.ts";
import { LeafBlock } from "../tree/leaf-block.ts";
import { hashesOf, TILE_WIDTH, type Tile, TileTree } from "../tree/tiles.ts";

export class RecordTree {
  /** Its leaves are the roots of full blocks. */
  readonly #above = new TileTree();
  #block = new LeafBlock();
  #within = 0;

  /** Records that the tree stands over. */
  get size(): number {
    return this.#above.size * TILE_WIDTH + this.#within;
  }

  root(): Uint8Array {
    return this.#above.root(this.#block.root(this.#within));
  }

  /** Hashes of the records that stand within the block so far, the last ones of the tree. */
  get newest(): readonly Uint8Array[] {
    return hashesOf(this.#block.leaves.subarray(0, this.#within * HASH_BYTES)) ?? [];
  }

  /** Takes the block that begins at the present size. */
  take(block: LeafBlock): void {
    assert(this.#within === 0, "a block follows full ones");
    this.#block = block;
  }

  /** Goes forward within the block. */
  advance(size: number): void {
    const within = size - this.#above.size * TILE_WIDTH;
    assert(within >= this.#within && within <= this.#block.size, "the tree grows within its block");
    this.#within = within;
  }

  /** The tiles that this size fills, lowest first. */
  fill(): readonly Tile[] {
    const root = this.#block.root();
    if (this.#within < TILE_WIDTH || root === null) return [];
    const lowest = { level: 0, index: this.#above.size, bytes: this.#block.leaves };
    const above = this.#above.push(root);
    this.#block = new LeafBlock();
    this.#within = 0;
    return [lowest, ...above.map(({ level, ...tile }) => ({ ...tile, level: level + 1 }))];
  }

  /** The same tree in the form in which a journal goes on from it. */
  toTileTree(): TileTree {
    return new TileTree([this.newest, ...this.#above.edge], this.size);
  }
}
