/** Keys that are derived from the seed and outlive a crash. A killed process cannot change them any more. */
import { createPrivateKey, type KeyObject } from "node:crypto";
import type { Keyring } from "@femtoclaw/journal";
import type { Life } from "./life.ts";
import type { Random } from "./random.ts";

/** The PKCS #8 prefix of the 32 bytes of an Ed25519 key (RFC 8410). */
const PKCS8_ED25519 = Buffer.from("302e020100300506032b657004220420", "hex");

/** The private key that consists of these 32 bytes. */
export function keyOf(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, seed]), format: "der", type: "pkcs8" });
}

/** The state that outlives the process, as a folder of keys would. */
export interface KeyFolder {
  current: KeyObject | null;
  next: KeyObject | null;
}

export class SimulatedKeyring implements Keyring {
  readonly #folder: KeyFolder;
  readonly #life: Life;
  readonly #random: Random;

  constructor(folder: KeyFolder, life: Life, random: Random) {
    this.#folder = folder;
    this.#life = life;
    this.#random = random;
  }

  async current(): Promise<KeyObject | null> {
    await this.#life.goesOn();
    return this.#folder.current;
  }

  async next(): Promise<KeyObject | null> {
    await this.#life.goesOn();
    return this.#folder.next;
  }

  async prepare(): Promise<KeyObject> {
    await this.#life.goesOn();
    this.#folder.next = keyOf(this.#random.bytes(32));
    return this.#folder.next;
  }

  async install(): Promise<void> {
    await this.#life.goesOn();
    this.#folder.current = this.#folder.next;
    this.#folder.next = null;
  }

  async discard(): Promise<void> {
    await this.#life.goesOn();
    this.#folder.next = null;
  }
}
