/** A tree that keeps its tiles in memory, as a journal keeps them in its store. */

import { leafHash } from "../../src/tree/hashing.ts";
import type { HashReader } from "../../src/tree/proof.ts";
import { hashesOf, TILE_WIDTH, TileTree } from "../../src/tree/tiles.ts";

export class GrowingTree {
  readonly tree = new TileTree();
  readonly tiles = new Map<string, readonly Uint8Array[]>();
  readonly leaves: Uint8Array[] = [];

  growTo(size: number): this {
    while (this.leaves.length < size) {
      const leaf = leafHash(Buffer.from(`record ${this.leaves.length}`));
      this.leaves.push(leaf);
      for (const { level, index, bytes } of this.tree.push(leaf)) {
        this.tiles.set(`${level}/${index}`, hashesOf(bytes) ?? []);
      }
    }
    return this;
  }

  readonly read: HashReader = async (level, start, count) => {
    const hashes = this.tiles.get(`${level}/${Math.floor(start / TILE_WIDTH)}`) ?? this.tree.edge[level] ?? [];
    const found = hashes.slice(start % TILE_WIDTH, (start % TILE_WIDTH) + count);
    if (found.length !== count) throw new Error(`no ${count} hashes from ${start} on at level ${level}`);
    return found;
  };
}
