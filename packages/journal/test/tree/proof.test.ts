import { describe, expect, it } from "vitest";
import { EMPTY_ROOT, leafHash, nodeHash } from "../../src/tree/hashing.ts";
import {
  consistencyProof,
  type HashReader,
  inclusionProof,
  verifyConsistency,
  verifyInclusion,
} from "../../src/tree/proof.ts";
import { GrowingTree } from "./growing-tree.ts";
import { naiveConsistency, naiveInclusion, naiveRoot } from "./naive-tree.ts";

const SIZES = [1, 2, 3, 7, 8, 255, 256, 257, 600];
const GROWING = new GrowingTree().growTo(600);
const hexes = (hashes: readonly Uint8Array[]): string[] => hashes.map((hash) => Buffer.from(hash).toString("hex"));
const flipped = (hash: Uint8Array): Uint8Array => Uint8Array.from(hash, (byte, at) => (at === 9 ? byte ^ 4 : byte));

/** A proof, and everything near it that must not pass. */
function tampered(proof: readonly Uint8Array[]): Uint8Array[][] {
  return [
    [...proof, Buffer.alloc(32)],
    ...(proof.length === 0 ? [] : [[...proof, ...proof.slice(0, 1)]]),
    ...proof.map((hash, at) => proof.with(at, flipped(hash))),
    ...proof.map((_, at) => proof.toSpliced(at, 1)),
    ...proof.map((hash, at) => proof.with(at, hash.subarray(0, 31))),
  ];
}

describe("inclusion", () => {
  it.each(SIZES)("is proved as RFC 9162 says in a tree of %i, and by nothing else", async (size) => {
    const leaves = GROWING.leaves.slice(0, size);
    const root = naiveRoot(leaves);
    for (const index of new Set(
      [0, 1, 2, 100, 254, 255, 256, size - 2, size - 1].filter((at) => at >= 0 && at < size),
    )) {
      const leaf = leaves[index] ?? root;
      const proof = await inclusionProof(index, size, GROWING.read);
      expect(hexes(proof)).toEqual(hexes(naiveInclusion(index, leaves)));
      expect(verifyInclusion(leaf, index, size, proof, root)).toBe(true);
      for (const wrong of tampered(proof)) expect(verifyInclusion(leaf, index, size, wrong, root)).toBe(false);
      expect(verifyInclusion(flipped(leaf), index, size, proof, root)).toBe(false);
      expect(verifyInclusion(leaf, index, size, proof, flipped(root))).toBe(false);
      for (const other of [index - 1, index + 1, index + 0.5, Number.NaN, size, 2 ** 53]) {
        expect(verifyInclusion(leaf, other, size, proof, root), `as record ${other}`).toBe(false);
      }
      for (const other of [0, -1, index, Number.NaN, 2 ** 53]) {
        expect(verifyInclusion(leaf, index, other, proof, root), `in a tree of ${other}`).toBe(false);
      }
    }
  });

  it("cannot be asked of what is not there", async () => {
    for (const index of [-1, 5, 0.5]) await expect(inclusionProof(index, 5, GROWING.read)).rejects.toThrow(RangeError);
  });
});

describe("consistency", () => {
  it.each(SIZES)("is proved as RFC 9162 says up to a tree of %i, and by nothing else", async (size) => {
    const leaves = GROWING.leaves.slice(0, size);
    const root = naiveRoot(leaves);
    for (const oldSize of new Set([1, 2, 3, 4, 6, 128, 255, 256, 257, size].filter((old) => old <= size))) {
      const oldRoot = naiveRoot(leaves.slice(0, oldSize));
      const proof = await consistencyProof(oldSize, size, GROWING.read);
      expect(hexes(proof)).toEqual(hexes(naiveConsistency(oldSize, leaves)));
      expect(verifyConsistency(oldSize, size, oldRoot, root, proof)).toBe(true);
      for (const wrong of tampered(proof)) expect(verifyConsistency(oldSize, size, oldRoot, root, wrong)).toBe(false);
      expect(verifyConsistency(oldSize, size, flipped(oldRoot), root, proof)).toBe(false);
      expect(verifyConsistency(oldSize, size, oldRoot, flipped(root), proof)).toBe(false);
    }
  });

  // What a first verifier let pass: an empty tree is the beginning of any, so it proves nothing.
  it("with an old size of 0 is neither made nor believed", async () => {
    const root = naiveRoot(GROWING.leaves.slice(0, 8));
    for (const proof of [[], [root], GROWING.leaves.slice(0, 3)]) {
      expect(verifyConsistency(0, 8, naiveRoot([]), root, proof)).toBe(false);
      expect(verifyConsistency(0, 0, naiveRoot([]), naiveRoot([]), proof)).toBe(false);
    }
    expect(verifyConsistency(8, 4, root, root, [])).toBe(false);
    for (const old of [0, 9, -1]) await expect(consistencyProof(old, 8, GROWING.read)).rejects.toThrow(RangeError);
  });
});

describe("a tree far larger than any that was built", () => {
  // All leaves are the same, so that the hash of a full subtree depends on its height alone.
  const heights = [leafHash(Buffer.from("same"))];
  while (heights.length <= 53) heights.push(nodeHash(heights.at(-1) ?? EMPTY_ROOT, heights.at(-1) ?? EMPTY_ROOT));
  const read: HashReader = async (level, _start, count) =>
    Array.from({ length: count }, () => heights[level * 8] ?? EMPTY_ROOT);
  const leaf = heights[0] ?? EMPTY_ROOT;

  function rootOf(size: number): Uint8Array {
    let height = 0;
    while (2 ** (height + 1) <= size) height += 1;
    const full = heights[height] ?? EMPTY_ROOT;
    return size === 2 ** height ? full : nodeHash(full, rootOf(size - 2 ** height));
  }

  it.each([2 ** 31 + 1, 2 ** 49 - 1, 2 ** 49, 2 ** 49 + 1, 2 ** 52 + 2 ** 20 + 1])(
    "is proved at size %i",
    async (size) => {
      const root = rootOf(size);
      for (const index of [0, size - 2, size - 1]) {
        const proof = await inclusionProof(index, size, read);
        expect(verifyInclusion(leaf, index, size, proof, root)).toBe(true);
        expect(verifyInclusion(leaf, index, size, proof.slice(1), root)).toBe(false);
      }
      for (const old of [1, 2 ** 31, size - 1]) {
        const proof = await consistencyProof(old, size, read);
        const oldRoot = rootOf(old);
        expect(verifyConsistency(old, size, oldRoot, root, proof)).toBe(true);
        expect(verifyConsistency(old, size, root, root, proof)).toBe(false);
      }
    },
  );
});
