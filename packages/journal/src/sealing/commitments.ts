/**
 * A value that is too large for a record, or must not be kept at all, is replaced by a salted commitment. Salt and
 * value are stored beside the record, so that they can be erased without invalidating any proof.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Commitment } from "@femtoclaw/protocol";

const SALT_BYTES = 32;
/** LIMIT: bytes of randomness drawn at once. A draw costs more than making salts from it. */
const POOL_BYTES = 64 * SALT_BYTES;

/** A commitment, and the blob that opens it: the salt, followed by the value if that is kept. */
interface Committed {
  readonly commitment: Commitment;
  readonly blob: Buffer;
}

/** Random salts, each of which is handed out only once. */
export class Salts {
  readonly #random: (bytes: number) => Uint8Array;
  #pool: Uint8Array = new Uint8Array(0);

  constructor(random: (bytes: number) => Uint8Array) {
    this.#random = random;
  }

  next(): Uint8Array {
    if (this.#pool.byteLength === 0) this.#pool = this.#random(POOL_BYTES);
    const salt = this.#pool.subarray(0, SALT_BYTES);
    this.#pool = this.#pool.subarray(SALT_BYTES);
    return salt;
  }
}

// INVARIANT: I10: every commitment has a salt of its own, because a bare digest of a guessable value gives that value
// away.
export function commit(
  path: string,
  form: Commitment["form"],
  bytes: Uint8Array,
  kept: boolean,
  salts: Salts,
): Committed {
  const salt = salts.next();
  const hmac = createHmac("sha256", salt).update(bytes).digest("hex");
  const blob = Buffer.concat(kept ? [salt, bytes] : [salt]);
  return { commitment: { path, form, bytes: bytes.byteLength, hmac, kept }, blob };
}

/** The committed bytes; null if only the salt is kept; undefined if the blob does not match the commitment. */
export function openCommitment({ hmac, bytes, kept }: Commitment, blob: Uint8Array): Uint8Array | null | undefined {
  if (blob.byteLength !== SALT_BYTES + (kept ? bytes : 0)) return undefined;
  if (!kept) return null;
  const value = blob.subarray(SALT_BYTES);
  return fits(hmac, blob.subarray(0, SALT_BYTES), value) ? value : undefined;
}

/** The two parts of a blob. The value is empty if only the salt is kept. */
export function saltOf(blob: Uint8Array): { readonly salt: Buffer; readonly value: Buffer } {
  const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength);
  return { salt: bytes.subarray(0, SALT_BYTES), value: bytes.subarray(SALT_BYTES) };
}

function fits(hmac: string, salt: Uint8Array, value: Uint8Array): boolean {
  return timingSafeEqual(createHmac("sha256", salt).update(value).digest(), Buffer.from(hmac, "hex"));
}
