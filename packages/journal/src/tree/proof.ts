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

/** Proof that the tree of size `oldSize` is the beginning of the tree of size `size`. */
export async function consistencyProof(oldSize: number, size: number, read: HashReader): Promise<Uint8Array[]> {
  if (oldSize < 1 || oldSize > size) throw new RangeError(`no proof leads from size ${oldSize} to size ${size}`);
  return await subproof(oldSize, { start: 0, end: size, isOldTree: true }, read);
}

/** Leaves `[start, end)`. `isOldTree` says whether the verifier knows their hash if they are all leaves of the old tree. */
interface Subtree {
  readonly start: number;
  readonly end: number;
  readonly isOldTree: boolean;
}

/** SUBPROOF of RFC 9162, 2.1.4.1. */
async function subproof(oldSize: number, tree: Subtree, read: HashReader): Promise<Uint8Array[]> {
  const { start, end, isOldTree } = tree;
  if (oldSize === end) return isOldTree ? [] : [await rangeHash(start, end, read)];
  const middle = start + splitOf(end - start);
  return oldSize <= middle
    ? [...(await subproof(oldSize, { start, end: middle, isOldTree }, read)), await rangeHash(middle, end, read)]
    : [
        ...(await subproof(oldSize, { start: middle, end, isOldTree: false }, read)),
        await rangeHash(start, middle, read),
      ];
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
  let hash: Uint8Array = leaf;
  const arrived = climb(index, size - 1, proof, (sibling, isLeft) => {
    hash = isLeft ? nodeHash(sibling, hash) : nodeHash(hash, sibling);
  });
  return arrived && equal(hash, root);
}

/**
 * Whether the tree with the old root is the beginning of the tree with the new one. An old size of 0 proves nothing.
 */
export function verifyConsistency(
  oldSize: number,
  size: number,
  oldRoot: Uint8Array,
  root: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  if (!isSize(oldSize) || !isSize(size) || oldSize > size || !wellFormed([oldRoot, root, ...proof])) return false;
  if (oldSize === size) return proof.length === 0 && equal(oldRoot, root);
  const [first, ...rest] = isPowerOfTwo(oldSize) ? [oldRoot, ...proof] : proof;
  if (first === undefined) return false;
  let node = oldSize - 1;
  let last = size - 1;
  while (node % 2 === 1) {
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  let oldHash: Uint8Array = first;
  let hash: Uint8Array = first;
  const arrived = climb(node, last, rest, (sibling, isLeft) => {
    if (isLeft) oldHash = nodeHash(sibling, oldHash);
    hash = isLeft ? nodeHash(sibling, hash) : nodeHash(hash, sibling);
  });
  return arrived && equal(oldHash, oldRoot) && equal(hash, root);
}

/**
 * Climbs from a node of a tree whose last node on that level is `last`, one sibling per step (RFC 9162, 2.1.3.2 and
 * 2.1.4.2). True if the siblings lead exactly to the root, no fewer and no more.
 */
function climb(
  node: number,
  last: number,
  siblings: readonly Uint8Array[],
  visit: (sibling: Uint8Array, isLeft: boolean) => void,
): boolean {
  let [at, end] = [node, last];
  const up = (): void => {
    at = Math.floor(at / 2);
    end = Math.floor(end / 2);
  };
  for (const sibling of siblings) {
    if (end === 0) return false;
    const isLeft = at % 2 === 1 || at === end;
    visit(sibling, isLeft);
    // A node without a right sibling stands for itself on the levels above, until it is a right node.
    if (isLeft) while (at % 2 === 0 && at !== 0) up();
    up();
  }
  return end === 0;
}

/** Hash over the leaves `[start, end)`, which is a node of a tree that is being proved. */
async function rangeHash(start: number, end: number, read: HashReader): Promise<Uint8Array> {
  const width = end - start;
  if (!isPowerOfTwo(width) || start % width !== 0) {
    const middle = start + splitOf(width);
    return nodeHash(await rangeHash(start, middle, read), await rangeHash(middle, end, read));
  }
  let level = 0;
  let span = 1;
  while (span * TILE_WIDTH <= width) {
    level += 1;
    span *= TILE_WIDTH;
  }
  return foldHashes(await read(level, start / span, width / span));
}

/**
 * The largest power of two below `width`, found by doubling, because sizes exceed what shifts and logarithms compute
 * exactly.
 */
function splitOf(width: number): number {
  let split = 1;
  while (split * 2 < width) split *= 2;
  return split;
}

function isPowerOfTwo(width: number): boolean {
  return width === 1 || splitOf(width) * 2 === width;
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
