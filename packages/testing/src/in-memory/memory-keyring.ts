/** Keys of a log that exist only as long as this object. */
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import type { Keyring } from "@femtoclaw/journal";

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
    this.#next = generateKeyPairSync("ed25519").privateKey;
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
