/**
 * The digest of the running program file. Reading the whole file takes a fifth of a second, so the digest is stored
 * together with what the file system says about the file. The next start uses the stored digest as long as none of that
 * has changed.
 */

import { createHash } from "node:crypto";
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { sweepAbandoned } from "@femtoclaw/journal/state-directory";
import { parseJson } from "@femtoclaw/protocol";

/** LIMIT: bytes read at once; enough that reading costs little compared with the digest. */
const CHUNK_BYTES = 1_048_576;
const RECEIPT = "executable.json";
/** A receipt that is being written; its name ends with the number of the writing process. */
const STAGED = /^executable\.json\.(?<pid>\d+)$/;

export interface FileDigest {
  readonly sha256: string;
  readonly bytes: number;
}

/**
 * `folder` is where the receipt is stored; null stores none. The kernel lets nobody write to a program while it runs,
 * and itself sets the time of last change whenever somebody has. LIMIT: a receipt does not notice bytes that change
 * below the file system, such as on a failing disk, and anybody with this user's rights could forge one; `doctor` reads
 * the whole file.
 */
export function fileDigest(path: string, folder: string | null): FileDigest {
  const descriptor = openSync(path, constants.O_RDONLY);
  try {
    const status = fstatSync(descriptor, { bigint: true });
    const identity = identityOf(status);
    const bytes = Number(status.size);
    const known = folder === null ? null : keptDigest(folder, identity);
    if (known !== null) return { sha256: known, bytes };
    const sha256 = digestOf(descriptor);
    if (folder !== null) keep(folder, identity, sha256);
    return { sha256, bytes };
  } finally {
    closeSync(descriptor);
  }
}

function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
}

function digestOf(descriptor: number): string {
  const hash = createHash("sha256");
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let read = readSync(descriptor, chunk, 0, CHUNK_BYTES, null); read > 0; ) {
    hash.update(chunk.subarray(0, read));
    read = readSync(descriptor, chunk, 0, CHUNK_BYTES, null);
  }
  return hash.digest("hex");
}

function keptDigest(folder: string, identity: string): string | null {
  try {
    const receipt: unknown = parseJson(readFileSync(join(folder, RECEIPT), "utf8"));
    if (typeof receipt !== "object" || receipt === null) return null;
    const { file, sha256 } = receipt as { file?: unknown; sha256?: unknown };
    return file === identity && typeof sha256 === "string" && /^[0-9a-f]{64}$/.test(sha256) ? sha256 : null;
  } catch {
    // Whatever is wrong with the receipt, the file is read instead.
    return null;
  }
}

function keep(folder: string, file: string, sha256: string): void {
  const temporary = join(folder, `${RECEIPT}.${process.pid}`);
  try {
    writeFileSync(temporary, `${JSON.stringify({ file, sha256 })}\n`, { mode: 0o600 });
    renameSync(temporary, join(folder, RECEIPT));
    sweepAbandoned(folder, STAGED);
  } catch {
    // The next start will read the file again and get the same result.
  }
}
