/** Where the private keys of a log are kept, and how one key replaces another. */
import { generateKeyPairSync, type KeyObject } from "node:crypto";

/**
 * A new key is made beside the one in force, then named by a durable record, and only then installed. After a crash the
 * journal decides which of the two is in force, so each step leaves either both keys or the right one.
 */
export interface Keyring {
  /** The key that signs; null if none was made yet. */
  current(): Promise<KeyObject | null>;
  /** The key that was prepared as the successor; null if there is none or its file is incomplete. */
  next(): Promise<KeyObject | null>;
  /** Makes the next key, destroying one that was left behind. */
  prepare(): Promise<KeyObject>;
  /** Installs the next key and destroys the current one. */
  install(): Promise<void>;
  /** Destroys whatever an interrupted change left beside the current key. */
  discard(): Promise<void>;
}

export function newPrivateKey(): KeyObject {
  return generateKeyPairSync("ed25519").privateKey;
}
