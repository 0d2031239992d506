/** The tree of RFC 6962 word for word, and as slow: what the real one is compared with. */
import { createHash } from "node:crypto";

export function naiveLeaf(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(Buffer.of(0)).update(bytes).digest();
}

export function naiveRoot(leaves: readonly Uint8Array[]): Buffer {
  const [first] = leaves;
  if (first === undefined) return createHash("sha256").digest();
  if (leaves.length === 1) return Buffer.from(first);
  const middle = splitOf(leaves.length);
  return node(naiveRoot(leaves.slice(0, middle)), naiveRoot(leaves.slice(middle)));
}

export function naiveInclusion(index: number, leaves: readonly Uint8Array[]): Buffer[] {
  if (leaves.length <= 1) return [];
  const middle = splitOf(leaves.length);
  return index < middle
    ? [...naiveInclusion(index, leaves.slice(0, middle)), naiveRoot(leaves.slice(middle))]
    : [...naiveInclusion(index - middle, leaves.slice(middle)), naiveRoot(leaves.slice(0, middle))];
}

export function naiveConsistency(oldSize: number, leaves: readonly Uint8Array[], whole = true): Buffer[] {
  if (oldSize === leaves.length) return whole ? [] : [naiveRoot(leaves)];
  const middle = splitOf(leaves.length);
  return oldSize <= middle
    ? [...naiveConsistency(oldSize, leaves.slice(0, middle), whole), naiveRoot(leaves.slice(middle))]
    : [...naiveConsistency(oldSize - middle, leaves.slice(middle), false), naiveRoot(leaves.slice(0, middle))];
}

function splitOf(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

function node(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash("sha256").update(Buffer.of(1)).update(left).update(right).digest();
}
