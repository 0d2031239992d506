/**
 * The stored form of the unfinished tiles: the tree at its last multiple of 256 leaves. A start hashes the records
 * after that again, which are never more than 255.
 */
import { hashesOf, TILE_WIDTH, TileTree } from "./tiles.ts";

const SIZE_BYTES = 8;

export function encodeEdge(tree: TileTree): Buffer {
  const [, ...above] = tree.edge;
  const size = Buffer.alloc(SIZE_BYTES);
  size.writeBigUInt64BE(BigInt(tree.size - (tree.size % TILE_WIDTH)));
  return Buffer.concat([size, ...above.flat()]);
}

/** The tree to continue from; null if these bytes are no edge. */
export function decodeEdge(bytes: Uint8Array): TileTree | null {
  const { buffer, byteOffset, byteLength } = bytes;
  if (byteLength < SIZE_BYTES) return null;
  const size = Number(new DataView(buffer, byteOffset).getBigUint64(0));
  const hashes = hashesOf(bytes.subarray(SIZE_BYTES));
  if (!Number.isSafeInteger(size) || size % TILE_WIDTH !== 0 || hashes === null) return null;
  // The size tells how many hashes each level has.
  const edge: Uint8Array[][] = [];
  let at = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / TILE_WIDTH)) {
    const end = at + (rest % TILE_WIDTH);
    edge.push(hashes.slice(at, end));
    at = end;
  }
  return at === hashes.length ? new TileTree(edge, size) : null;
}
