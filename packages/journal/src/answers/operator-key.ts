/**
 * Keys of operators. They are Ed25519 keys, and their public half is written as `name+id+key`, as in C2SP signed notes.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { newPrivateKey } from "../keys/keyring.ts";
import { type NoteSigner, type NoteVerifier, noteSigner, parseVerifierKey, verifierKey } from "../tree/signed-note.ts";

/** Characters that need no quoting in records, lists and signed texts. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;

/** The text of a key file, and the public key as `name+id+key`. */
interface OperatorKeyFile {
  readonly pem: string;
  readonly vkey: string;
}

/**
 * Whether this may be the name of an operator: 1 to 64 letters, digits and `. _ @ -`, beginning with a letter or digit.
 */
export function isOperatorName(name: string): boolean {
  return NAME.test(name);
}

/** Null for anything but the canonical spelling of an operator's public key. */
export function parseOperatorKey(vkey: string): NoteVerifier | null {
  const verifier = parseVerifierKey(vkey);
  return verifier !== null && isOperatorName(verifier.name) && verifierKey(verifier) === vkey ? verifier : null;
}

/**
 * A new key: the text of its file and its public half. Without a passphrase, everybody who can read the file can use
 * the key.
 */
export function newOperatorKey(name: string, passphrase: string | null): OperatorKeyFile {
  const key = newPrivateKey();
  const locked = passphrase === null ? {} : { cipher: "aes-256-cbc", passphrase };
  const pem = String(key.export({ type: "pkcs8", format: "pem", ...locked }));
  return { pem, vkey: verifierKey(noteSigner(name, key)) };
}

/** Whether a key file asks for a passphrase. */
export function isEncryptedKey(pem: string): boolean {
  return pem.includes("-----BEGIN ENCRYPTED PRIVATE KEY-----");
}

/** Null if this is no Ed25519 key or the passphrase is wrong. */
export function readOperatorKey(pem: string, passphrase: string | null): KeyObject | null {
  try {
    const key = createPrivateKey({ key: pem, format: "pem", ...(passphrase === null ? {} : { passphrase }) });
    return key.asymmetricKeyType === "ed25519" ? key : null;
  } catch {
    return null;
  }
}

/** A signer under the name of the public key that belongs to the private key; null if none of them does. */
export function operatorSigner(privateKey: KeyObject, vkeys: readonly string[]): NoteSigner | null {
  const own = createPublicKey(privateKey);
  const verifier = vkeys.map(parseOperatorKey).find((known) => known?.publicKey.equals(own) === true);
  return verifier ? { ...verifier, privateKey } : null;
}
