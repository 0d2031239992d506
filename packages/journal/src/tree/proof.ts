/** Proofs of RFC 9162: that a record stands in the tree, and that one tree is the beginning of another. */
import { EMPTY_ROOT, foldHashes, HASH_BYTES, nodeHash } from "./hashing.ts";
import { TILE_WIDTH } from "./tiles.ts";

/** Hashes `[start, start + count)` of tree level 8·`level`; they lie in one tile. */
export type HashReader = (level: number, start: number, count: number) => Promise<readonly Uint8Array[]>;

/** Root of the tree of the first `size` leaves. */
export async function rootOf(size: number, read: HashReader): Promise<Uint8Array> {
  return size === 0 ? EMPTY_ROOT : await rangeHash(0, size, read);
}

/** Path from leaf `index` to the root of the tree of size `size`. */
export async function inclusionProof(index: number, size: number, read: HashReader): Promise<Uint8Array[]> {
  requireRange(index, size);
  return await pathTo(index, 0, size, read);
}

async function pathTo(index: number, start: number, end: number, read: HashReader): Promise<Uint8Array[]> {
  if (end - start === 1) return [];
  const middle = start + splitOf(end - start);
  return index < middle
    ? [...(await pathTo(index, start, middle, read)), await rangeHash(middle, end, read)]
    : [...(await pathTo(index, middle, end, read)), await rangeHash(start, middle, read)];
}

/** What shows that the tree of size `oldSize` is the beginning of the tree of size `size`. */
export async function consistencyProof(oldSize: number, size: number, read: HashReader): Promise<Uint8Array[]> {
  if (oldSize < 1 || oldSize > size) throw new RangeError(`no proof leads from size ${oldSize} to size ${size}`);
  return await consistency(oldSize, 0, size, true, read);
}

async function consistency(
  oldSize: number,
  start: number,
  end: number,
  whole: boolean,
  read: HashReader,
): Promise<Uint8Array[]> {
  if (oldSize === end) return whole ? [] : [await rangeHash(start, end, read)];
  const middle = start + splitOf(end - start);
  return oldSize <= middle
    ? [...(await consistency(oldSize, start, middle, whole, read)), await rangeHash(middle, end, read)]
    : [...(await consistency(oldSize, middle, end, false, read)), await rangeHash(start, middle, read)];
}

/** Whether the path leads from the leaf to the root. False for anything malformed. */
export function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!isIndex(index, size) || !wellFormed([leaf, root, ...proof])) return false;
  let node = index;
  let last = size - 1;
  let hash: Uint8Array = leaf;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash);
      while (node % 2 === 0 && node !== 0) {
        node = Math.floor(node / 2);
        last = Math.floor(last / 2);
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && equal(hash, root);
}

/** Whether the old root belongs to the beginning of the tree with the new one. An old size of 0 proves nothing. */
export function verifyConsistency(
  oldSize: number,
  size: number,
  oldRoot: Uint8Array,
  root: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  if (!isSize(oldSize) || !isSize(size) || oldSize > size || !wellFormed([oldRoot, root, ...proof])) return false;
  if (oldSize === size) return proof.length === 0 && equal(oldRoot, root);
  const isPowerOfTwo = Number.isInteger(Math.log2(oldSize));
  const [first, ...rest] = isPowerOfTwo ? [oldRoot, ...proof] : proof;
  if (first === undefined) return false;
  let node = oldSize - 1;
  let last = size - 1;
  while (node % 2 === 1) {
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  let oldHash: Uint8Array = first;
  let hash: Uint8Array = first;
  for (const sibling of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      oldHash = nodeHash(sibling, oldHash);
      hash = nodeHash(sibling, hash);
      while (node % 2 === 0 && node !== 0) {
        node = Math.floor(node / 2);
        last = Math.floor(last / 2);
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && equal(oldHash, oldRoot) && equal(hash, root);
}

/** Hash of the leaves `[start, end)`, which is a node of some tree that is being proved. */
async function rangeHash(start: number, end: number, read: HashReader): Promise<Uint8Array> {
  const width = end - start;
  const power = Math.log2(width);
  if (!Number.isInteger(power) || start % width !== 0) {
    const middle = start + splitOf(width);
    return nodeHash(await rangeHash(start, middle, read), await rangeHash(middle, end, read));
  }
  const level = Math.floor(power / Math.log2(TILE_WIDTH));
  const span = TILE_WIDTH ** level;
  return foldHashes(await read(level, start / span, width / span));
}

/** The largest power of two below `width`. Sizes go beyond 32 bits, so there is no shifting here. */
function splitOf(width: number): number {
  return 2 ** Math.ceil(Math.log2(width) - 1);
}

function requireRange(index: number, size: number): void {
  if (!isIndex(index, size)) throw new RangeError(`a tree of size ${size} has no leaf ${index}`);
}

function isIndex(index: number, size: number): boolean {
  return Number.isSafeInteger(index) && Number.isSafeInteger(size) && index >= 0 && index < size;
}

function isSize(size: number): boolean {
  return Number.isSafeInteger(size) && size >= 1;
}

function wellFormed(hashes: readonly Uint8Array[]): boolean {
  return hashes.every(({ byteLength }) => byteLength === HASH_BYTES);
}

function equal(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}
