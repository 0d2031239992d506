/**
 * The file of an operator's private key. It belongs to its owner alone, is never overwritten, and is locked with a
 * passphrase.
 */
import type { KeyObject } from "node:crypto";
import { existsSync } from "node:fs";
import { isEncryptedKey, isOperatorName, newOperatorKey, readOperatorKey, readPrivate } from "@femtoclaw/journal";
import { FemtoError, printable } from "@femtoclaw/protocol";
import { unwritten, writeNew } from "../new-file.ts";
import { askSecret } from "../terminal/secret.ts";

/** LIMIT: bytes of a key file; an encrypted one has a tenth of this. */
const KEY_BYTES_MAX = 4_096;
/** LIMIT: least number of characters of a passphrase, which is all that protects a copied key file. */
const PASSPHRASE_CHARS_MIN = 12;

/** Makes a key and writes it; resolves with its public half. */
export async function writeOperatorKey(path: string, name: string, locked: boolean): Promise<string> {
  if (!isOperatorName(name)) {
    const fix = "Use 1 to 64 letters, digits, `.`, `_`, `@` and `-`, beginning with a letter or digit.";
    throw new FemtoError("FEMTO_USAGE", `\`${printable(name)}\` is not a valid name of an operator`, { fix });
  }
  // Check this before asking for a passphrase. The write itself also refuses to overwrite a file.
  if (existsSync(path)) throw unwritten(path, "is there already");
  const { pem, vkey } = newOperatorKey(name, locked ? await newPassphrase() : null);
  await writeNew(path, pem);
  return vkey;
}

/** The private key in a file. Asks for the passphrase if the key is locked. Throws FEMTO_OPERATOR_KEY. */
export async function unlockOperatorKey(path: string): Promise<KeyObject> {
  const pem = await readKeyFile(path);
  if (pem === null) throw new FemtoError("FEMTO_OPERATOR_KEY", `there is no file ${printable(path, 4_096)}`);
  const isLocked = isEncryptedKey(pem);
  const key = readOperatorKey(pem, isLocked ? await askSecret(`passphrase of ${printable(path, 4_096)}:`) : null);
  if (key !== null) return key;
  const fault = isLocked ? "is not opened by this passphrase" : "holds no Ed25519 private key";
  throw new FemtoError("FEMTO_OPERATOR_KEY", `${printable(path, 4_096)} ${fault}`);
}

/** INVARIANT: I8: a key that others could have read or put there is no operator's. */
async function readKeyFile(path: string): Promise<string | null> {
  try {
    return await readPrivate(path, KEY_BYTES_MAX, ", and make another key if others could read this one");
  } catch (error) {
    if (!(error instanceof FemtoError)) throw error;
    const fix = error.code === "FEMTO_STATE_MODE" ? error.fix : "Use a regular file that only you can access.";
    throw new FemtoError("FEMTO_OPERATOR_KEY", error.message, { fix, cause: error });
  }
}

async function newPassphrase(): Promise<string> {
  const passphrase = await askSecret(`a passphrase of at least ${PASSPHRASE_CHARS_MIN} characters:`);
  if ([...passphrase].length < PASSPHRASE_CHARS_MIN) {
    throw new FemtoError("FEMTO_OPERATOR_KEY", `the passphrase has fewer than ${PASSPHRASE_CHARS_MIN} characters`);
  }
  if ((await askSecret("the same once more:")) === passphrase) return passphrase;
  throw new FemtoError("FEMTO_OPERATOR_KEY", "the two passphrases differ");
}
