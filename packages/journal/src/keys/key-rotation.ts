/** Replaces the key that signs the log, in steps that are safe to interrupt by a crash. */
import type { RecordEntry } from "@femtoclaw/protocol";
import type { Notary } from "../notary.ts";
import { noteSigner, verifierKey } from "../tree/signed-note.ts";
import type { Keyring } from "./keyring.ts";

interface KeyRotationParts {
  /** Name of the log. */
  readonly origin: string;
  readonly keyring: Keyring;
  readonly notary: Notary;
  /** Throws FEMTO_JOURNAL_CLOSED if nothing can be written any more. */
  assertOpen(): void;
  /**
   * Calls `onDurable` in the very turn of the event loop in which the record becomes durable, and resolves after that.
   */
  append(entry: RecordEntry, onDurable: () => void): Promise<void>;
  checkpoint(): Promise<string>;
}

export class KeyRotation {
  readonly #parts: KeyRotationParts;
  #running: Promise<string> | null = null;

  constructor(parts: KeyRotationParts) {
    this.#parts = parts;
  }

  /**
   * Resolves with the new public key once it is in force. A second call during a rotation resolves with the same key.
   */
  rotate(): Promise<string> {
    this.#running ??= this.#rotate().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #rotate(): Promise<string> {
    const { origin, keyring, notary } = this.#parts;
    this.#parts.assertOpen();
    // A durable record has put a key in force that is not installed yet. Preparing another one would destroy it.
    if (notary.isRotating) await this.finish();
    const before = notary.signer;
    const next = noteSigner(origin, await keyring.prepare());
    const body = { vkey: verifierKey(next), retired_vkey: verifierKey(before) };
    const entry: RecordEntry = { type: "key.rotated", session: null, execution: null, body };
    // Nothing is signed between the commit and `follow`, so both keys sign from the first size that covers the record.
    await this.#parts.append(entry, () => notary.follow(next));
    await this.finish();
    return body.vkey;
  }

  /**
   * The steps after the record of a rotation is durable, also after a crash. INVARIANT: the old key is destroyed only
   * after the note that both keys signed is durable.
   */
  async finish(): Promise<void> {
    const { origin, keyring, notary } = this.#parts;
    await this.#parts.checkpoint();
    const current = await keyring.current();
    const vkey = current === null ? null : verifierKey(noteSigner(origin, current));
    // After a crash the new key may be installed already. Then only the remains of the old one are left to destroy.
    if (vkey === verifierKey(notary.signer)) await keyring.discard();
    else await keyring.install();
    notary.retire();
  }
}
