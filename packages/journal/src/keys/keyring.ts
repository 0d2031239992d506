/** Where the private keys of a log are kept, and how one takes the place of another. */
import { generateKeyPairSync, type KeyObject } from "node:crypto";

/**
 * A key is made beside the one in force, is named by a durable record, and only then takes its place.
 * The journal decides after a crash which of the two is in force, so each step leaves both or the right one.
 */
export interface Keyring {
  /** The key that signs; null where none was made yet. */
  current(): Promise<KeyObject | null>;
  /** The key that was made to follow it; null where there is none, or none that is whole. */
  next(): Promise<KeyObject | null>;
  /** Makes the next key; one that was left behind is destroyed. */
  prepare(): Promise<KeyObject>;
  /** Lets the next key take the place of the current one, which is destroyed. */
  install(): Promise<void>;
  /** Destroys whatever an interrupted change left beside the current key. */
  discard(): Promise<void>;
}

export function newPrivateKey(): KeyObject {
  return generateKeyPairSync("ed25519").privateKey;
}

/** Keys that live as long as this object, for tests and for journals without a disk. */
export class MemoryKeyring implements Keyring {
  #current: KeyObject | null = null;
  #next: KeyObject | null = null;

  async current(): Promise<KeyObject | null> {
    return this.#current;
  }

  async next(): Promise<KeyObject | null> {
    return this.#next;
  }

  async prepare(): Promise<KeyObject> {
    this.#next = newPrivateKey();
    return this.#next;
  }

  async install(): Promise<void> {
    this.#current = this.#next;
    this.#next = null;
  }

  async discard(): Promise<void> {
    this.#next = null;
  }
}
