/** The two hashes of RFC 6962: of a record's stored bytes, and of two nodes. The tree hashes nothing else. */
import { hash } from "node:crypto";

export const HASH_BYTES = 32;

/** Root of the tree without leaves: SHA-256 of no bytes. */
export const EMPTY_ROOT: Buffer = sha256(Buffer.alloc(0));

/** The first byte differs between leaves and nodes, so that one can never pass for the other. */
export function leafHash(bytes: Uint8Array): Buffer {
  const prefixed = Buffer.allocUnsafe(bytes.byteLength + 1);
  prefixed[0] = 0x00;
  prefixed.set(bytes, 1);
  return sha256(prefixed);
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  const pair = Buffer.allocUnsafe(1 + 2 * HASH_BYTES);
  pair[0] = 0x01;
  pair.set(left, 1);
  pair.set(right, 1 + HASH_BYTES);
  return sha256(pair);
}

/** Root of a full subtree from the hashes of its leaves, whose number is a power of two. */
export function foldHashes(hashes: readonly Uint8Array[]): Uint8Array {
  let level = hashes;
  while (level.length > 1) {
    const above: Uint8Array[] = [];
    for (let index = 0; index + 1 < level.length; index += 2) {
      above.push(nodeHash(level[index] as Uint8Array, level[index + 1] as Uint8Array));
    }
    level = above;
  }
  return level[0] ?? EMPTY_ROOT;
}

/** Goes through a binary string, because a Buffer made by OpenSSL costs twice as much as the hash. */
function sha256(bytes: Buffer): Buffer {
  return Buffer.from(hash("sha256", bytes, "binary"), "binary");
}
