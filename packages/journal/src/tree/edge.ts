/**
 * The unfinished tiles as they are stored: the tree at its last multiple of 256 leaves. What came
 * later is hashed again at a start, which is never more than 255 records.
 */
import { hashesOf, TILE_WIDTH, TileTree } from "./tiles.ts";

const SIZE_BYTES = 8;

export function encodeEdge(tree: TileTree): Buffer {
  const [, ...above] = tree.edge;
  const size = Buffer.alloc(SIZE_BYTES);
  size.writeBigUInt64BE(BigInt(tree.size - (tree.size % TILE_WIDTH)));
  return Buffer.concat([size, ...above.flat()]);
}

/** The tree that goes on from there; null for anything that is no edge. */
export function decodeEdge(bytes: Uint8Array): TileTree | null {
  const { buffer, byteOffset, byteLength } = bytes;
  if (byteLength < SIZE_BYTES) return null;
  const size = Number(new DataView(buffer, byteOffset).getBigUint64(0));
  const hashes = hashesOf(bytes.subarray(SIZE_BYTES));
  if (!Number.isSafeInteger(size) || size % TILE_WIDTH !== 0 || hashes === null) return null;
  // How many hashes each level has follows from the size.
  const edge: Uint8Array[][] = [];
  let at = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / TILE_WIDTH)) {
    const end = at + (rest % TILE_WIDTH);
    edge.push(hashes.slice(at, end));
    at = end;
  }
  return at === hashes.length ? new TileTree(edge, size) : null;
}
