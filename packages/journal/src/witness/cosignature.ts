/**
 * Cosignatures (C2SP tlog-cosignature, version 1): a witness signs a checkpoint together with the time at which it
 * found that the checkpoint continues the previous one. The key signs nothing else.
 */
import { createPublicKey, hash, type KeyObject, sign, verify } from "node:crypto";
import { decodeBase64 } from "../tree/base64.ts";
import {
  KEY_ID_BYTES,
  KEY_TYPES,
  type NoteSigner,
  type NoteVerifier,
  noteSigner,
  parseVerifierKey,
  rawKey,
  SIGNATURE_BYTES,
  verifierKey,
} from "../tree/signed-note.ts";

const TIME_BYTES = 8;

/** A witness's signature under a checkpoint. */
export interface Cosignature {
  /** The line as it stands under the checkpoint, with its newline. */
  readonly line: string;
  /** When the witness signed, by its own clock, in seconds since 1970. */
  readonly timeS: number;
}

/** A witness is named after its key, so that no two have the same name. */
export function witnessSigner(privateKey: KeyObject): NoteSigner {
  const named = Buffer.concat([Buffer.from("femtoclaw witness\n"), rawKey(createPublicKey(privateKey))]);
  return noteSigner(`femtoclaw.local/witness/${hash("sha256", named).slice(0, 32)}`, privateKey, KEY_TYPES.cosignature);
}

/** The public key of a witness in the form `name+id+key`. */
export function witnessKey(witness: NoteVerifier): string {
  return verifierKey(witness, KEY_TYPES.cosignature);
}

/** Null if the text is no public key of a witness. */
export function parseWitnessKey(text: string): NoteVerifier | null {
  return parseVerifierKey(text, KEY_TYPES.cosignature);
}

/** Signs the three lines of a checkpoint. */
export function cosign(text: string, { name, keyId, privateKey }: NoteSigner, timeS: number): Cosignature {
  const time = Buffer.alloc(TIME_BYTES);
  time.writeBigUInt64BE(BigInt(timeS));
  const signature = sign(null, signedMessage(text, timeS), privateKey);
  const encoded = Buffer.concat([keyId, time, signature]).toString("base64");
  return { line: `\u2014 ${name} ${encoded}\n`, timeS };
}

/**
 * Finds this witness's cosignature of the three lines among lines of signatures. Null if there is none, if it is
 * invalid, or if a line is malformed. Lines by other keys are ignored.
 */
export function findCosignature(text: string, lines: string, witness: NoteVerifier): Cosignature | null {
  if (!lines.endsWith("\n")) return null;
  for (const line of lines.slice(0, -1).split("\n")) {
    const [, name, encoded = ""] = /^\u2014 (\S+) (\S+)$/.exec(line) ?? [];
    const bytes = decodeBase64(encoded);
    if (name === undefined || bytes === null || bytes.byteLength <= KEY_ID_BYTES) return null;
    if (name !== witness.name || !witness.keyId.equals(bytes.subarray(0, KEY_ID_BYTES))) continue;
    const timeS = rightTime(text, bytes.subarray(KEY_ID_BYTES), witness);
    return timeS === null ? null : { line: `${line}\n`, timeS };
  }
  return null;
}

function rightTime(text: string, timed: Buffer, witness: NoteVerifier): number | null {
  if (timed.byteLength !== TIME_BYTES + SIGNATURE_BYTES) return null;
  const timeS = Number(timed.readBigUInt64BE());
  if (!Number.isSafeInteger(timeS)) return null;
  return verify(null, signedMessage(text, timeS), witness.publicKey, timed.subarray(TIME_BYTES)) ? timeS : null;
}

function signedMessage(text: string, timeS: number): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${timeS}\n${text}`);
}
