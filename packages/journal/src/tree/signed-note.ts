/**
 * C2SP signed notes with Ed25519: a text that ends with a newline, an empty line, and one line per signature. Go's
 * sumdb/note, openssl and a few lines of Python can read what is written here.
 */
import { createPublicKey, hash, type KeyObject, sign, verify } from "node:crypto";
import { decodeBase64 } from "./base64.ts";

/** What a key signs, which is part of its identifier: plain notes, or checkpoints with a time. */
export const KEY_TYPES = { note: 0x01, cosignature: 0x04 } as const;
type KeyType = (typeof KEY_TYPES)[keyof typeof KEY_TYPES];

const KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;
export const KEY_ID_BYTES = 4;
/** LIMIT: characters of a note; a checkpoint with the signatures of many witnesses has a hundredth of this. */
export const NOTE_CHARS_MAX = 65_536;

/** A public key with the name that it signs for. */
export interface NoteVerifier {
  readonly name: string;
  readonly keyId: Buffer;
  readonly publicKey: KeyObject;
}

/** A private key with the name that it signs for. */
export interface NoteSigner extends NoteVerifier {
  readonly privateKey: KeyObject;
}

interface OpenedNote {
  readonly text: string;
  /** Known keys with a valid signature on this text. */
  readonly signers: readonly NoteVerifier[];
}

/** Makes a signer from an Ed25519 key and a name. */
export function noteSigner(name: string, privateKey: KeyObject, type: KeyType = KEY_TYPES.note): NoteSigner {
  const publicKey = createPublicKey(privateKey);
  return { name, keyId: keyIdOf(name, type, rawKey(publicKey)), publicKey, privateKey };
}

/** The public key in the form `name+id+key`. */
export function verifierKey({ name, keyId, publicKey }: NoteVerifier, type: KeyType = KEY_TYPES.note): string {
  const key = Buffer.concat([Buffer.of(type), rawKey(publicKey)]);
  return `${name}+${keyId.toString("hex")}+${key.toString("base64")}`;
}

/** Null if the text is no verifier key of this type, or if its id does not belong to its key. */
export function parseVerifierKey(text: string, type: KeyType = KEY_TYPES.note): NoteVerifier | null {
  const match = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text.trim());
  const [, name = "", id = "", encoded = ""] = match ?? [];
  const key = decodeBase64(encoded);
  if (key === null || key.byteLength !== 1 + KEY_BYTES || key[0] !== type) return null;
  const raw = key.subarray(1);
  const keyId = keyIdOf(name, type, raw);
  return keyId.toString("hex") === id ? { name, keyId, publicKey: publicKeyOf(raw) } : null;
}

/** The signed note. Several signers sign the same text. */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  if (!text.endsWith("\n")) throw new TypeError("the text of a note ends with a newline");
  const lines = signers.map(({ name, keyId, privateKey }) => {
    const signature = sign(null, Buffer.from(text), privateKey);
    return `\u2014 ${name} ${Buffer.concat([keyId, signature]).toString("base64")}\n`;
  });
  return `${text}\n${lines.join("")}`;
}

/**
 * Opens a note with known keys. Signatures by unknown keys are ignored. The note is rejected if a known key's signature
 * is wrong, or if there is no valid signature at all.
 */
export function openNote(note: string, verifiers: readonly NoteVerifier[]): OpenedNote | null {
  if (note.length > NOTE_CHARS_MAX) return null;
  const split = note.lastIndexOf("\n\n");
  if (split === -1 || !note.endsWith("\n")) return null;
  const text = note.slice(0, split + 1);
  const signers: NoteVerifier[] = [];
  for (const line of note.slice(split + 2, -1).split("\n")) {
    const [, name, encoded = ""] = /^\u2014 (\S+) (\S+)$/.exec(line) ?? [];
    const bytes = decodeBase64(encoded);
    if (bytes === null || bytes.byteLength <= KEY_ID_BYTES) return null;
    const keyId = bytes.subarray(0, KEY_ID_BYTES);
    const verifier = verifiers.find((known) => known.name === name && known.keyId.equals(keyId));
    if (verifier === undefined || signers.includes(verifier)) continue;
    const signature = bytes.subarray(KEY_ID_BYTES);
    if (signature.byteLength !== SIGNATURE_BYTES) return null;
    if (!verify(null, Buffer.from(text), verifier.publicKey, signature)) return null;
    signers.push(verifier);
  }
  return signers.length === 0 ? null : { text, signers };
}

function keyIdOf(name: string, type: KeyType, raw: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(type), raw]);
  return hash("sha256", named, "buffer").subarray(0, KEY_ID_BYTES);
}

/** The 32 bytes of an Ed25519 public key. */
export function rawKey(publicKey: KeyObject): Buffer {
  return Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url");
}

function publicKeyOf(raw: Buffer): KeyObject {
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: raw.toString("base64url") }, format: "jwk" });
}
