/**
 * Values that are too large for a record, or not to be kept at all, leave a salted commitment there.
 * Salt and value stand beside the record, so that they can be erased and every proof stays as it is.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Commitment } from "@femtoclaw/protocol";

const SALT_BYTES = 32;
/** LIMIT: bytes of randomness drawn at once, because each draw costs more than the salts in it. */
const POOL_BYTES = 64 * SALT_BYTES;

/** A commitment, and what is stored to open it: the salt, and behind it the value where that is kept. */
export interface Committed {
  readonly commitment: Commitment;
  readonly blob: Buffer;
}

/** Random bytes, of which each is handed out once. */
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

// INVARIANT: I10: nothing is committed to without a salt of its own; a bare digest of a guessable value is that value.
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

/** The committed bytes; null where only the salt is kept; undefined for a blob that the commitment does not fit. */
export function openCommitment({ hmac, bytes, kept }: Commitment, blob: Uint8Array): Uint8Array | null | undefined {
  if (blob.byteLength !== SALT_BYTES + (kept ? bytes : 0)) return undefined;
  if (!kept) return null;
  const value = blob.subarray(SALT_BYTES);
  return fits(hmac, blob.subarray(0, SALT_BYTES), value) ? value : undefined;
}

/** The two parts of a blob; the value is empty where only the salt is kept. */
export function saltOf(blob: Uint8Array): { readonly salt: Buffer; readonly value: Buffer } {
  const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength);
  return { salt: bytes.subarray(0, SALT_BYTES), value: bytes.subarray(SALT_BYTES) };
}

/** Whether a value that somebody has is the one that was committed to. */
export function isCommittedValue({ hmac }: Commitment, blob: Uint8Array, value: Uint8Array): boolean {
  return fits(hmac, blob.subarray(0, SALT_BYTES), value);
}

function fits(hmac: string, salt: Uint8Array, value: Uint8Array): boolean {
  return timingSafeEqual(createHmac("sha256", salt).update(value).digest(), Buffer.from(hmac, "hex"));
}
