/** Replaces the key that signs a log: the record that says so, the note that both keys sign, and then the key itself. */
import type { FemtoError, RecordEntry } from "@femtoclaw/protocol";
import type { Notary } from "../notary.ts";
import { noteSigner, verifierKey } from "../tree/signed-note.ts";
import type { Keyring } from "./keyring.ts";

export interface KeyRotationParts {
  /** Name of the log. */
  readonly origin: string;
  readonly keyring: Keyring;
  readonly notary: Notary;
  /** Throws where nothing is recorded any more. */
  assertOpen(): void;
  /** Resolves once a note over all records so far is durable. */
  checkpoint(): Promise<string>;
  /** Calls back in the turn in which the record is durable. */
  record(entry: RecordEntry, recorded: () => void, reject: (error: FemtoError) => void): void;
}

export class KeyRotation {
  readonly #parts: KeyRotationParts;
  #rotating: Promise<string> | null = null;

  constructor(parts: KeyRotationParts) {
    this.#parts = parts;
  }

  /** Resolves with the new public key; whoever asks meanwhile gets the same one. */
  rotate(): Promise<string> {
    this.#rotating ??= this.#rotate().finally(() => {
      this.#rotating = null;
    });
    return this.#rotating;
  }

  async #rotate(): Promise<string> {
    const { origin, keyring, notary, assertOpen, record } = this.#parts;
    assertOpen();
    // Preparing another key would destroy one that a record has put in force and the disk kept from its place.
    if (notary.isRotating) await this.finish();
    const before = notary.signer;
    const next = noteSigner(origin, await keyring.prepare());
    const body = { vkey: verifierKey(next), retired_vkey: verifierKey(before) };
    const entry: RecordEntry = { type: "key.rotated", session: null, execution: null, body };
    await new Promise<void>((resolve, reject) => {
      const recorded = (): void => {
        // Nothing is signed between the commit and this: both keys sign from the first size that covers the record.
        notary.follow(next);
        resolve();
      };
      record(entry, recorded, reject);
    });
    await this.finish();
    return body.vkey;
  }

  /**
   * Ends what was begun, also by an earlier boot. INVARIANT: the old key is destroyed only after the note that both keys
   * signed is durable.
   */
  async finish(): Promise<void> {
    const { origin, keyring, notary, checkpoint } = this.#parts;
    await checkpoint();
    const current = await keyring.current();
    const vkey = current === null ? null : verifierKey(noteSigner(origin, current));
    // What was cut off after the new key had taken its place has only the tidying left.
    if (vkey === verifierKey(notary.signer)) await keyring.discard();
    else await keyring.install();
    notary.retire();
  }
}
