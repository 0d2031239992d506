/** Keys of operators: Ed25519, known by their public half as `name+id+key`, in the form of C2SP signed notes. */
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { newPrivateKey } from "../keys/keyring.ts";
import { type NoteSigner, type NoteVerifier, noteSigner, parseVerifierKey, verifierKey } from "../tree/signed-note.ts";

/** A name that stands in records, lists and signed texts without any quoting. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;

/** The text of a key file, and the public key as `name+id+key`. */
export interface OperatorKeyFile {
  readonly pem: string;
  readonly vkey: string;
}

/** Whether an operator may be called so: 1 to 64 letters, digits and `. _ @ -`, beginning with a letter or digit. */
export function isOperatorName(name: string): boolean {
  return NAME.test(name);
}

/** Null for anything but the one spelling of an operator's public key. */
export function parseOperatorKey(vkey: string): NoteVerifier | null {
  const verifier = parseVerifierKey(vkey);
  return verifier !== null && isOperatorName(verifier.name) && verifierKey(verifier) === vkey ? verifier : null;
}

/** A new key as the text of its file, and its public half. Without a passphrase whoever reads the file has the key. */
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

/** Null when it is no Ed25519 key, or the passphrase is not its own. */
export function readOperatorKey(pem: string, passphrase: string | null): KeyObject | null {
  try {
    const key = createPrivateKey({ key: pem, format: "pem", ...(passphrase === null ? {} : { passphrase }) });
    return key.asymmetricKeyType === "ed25519" ? key : null;
  } catch {
    return null;
  }
}

/** The signer for whichever of the public keys belongs to the private one; null when it is none of theirs. */
export function operatorSigner(privateKey: KeyObject, vkeys: readonly string[]): NoteSigner | null {
  const own = createPublicKey(privateKey);
  const verifier = vkeys.map(parseOperatorKey).find((known) => known?.publicKey.equals(own) === true);
  return verifier ? { ...verifier, privateKey } : null;
}
