/**
 * What a backup says about itself: its first file is a manifest, and its last file is the digest of everything before.
 * A backup without the digest is unfinished.
 */
import { FemtoError, parseStrictJson } from "@femtoclaw/protocol";
import { type ArchiveEntry, damaged } from "./archive.ts";

export const MANIFEST_FILE = "backup.json";
export const DIGEST_FILE = "sha256";
/** Folder of all logs, including the newest. It is laid out like that of a state directory. */
export const LOGS_FOLDER = "epochs";
/** Folder of the configuration and its policy. */
export const PROJECT_FOLDER = "project";
/** Ending of the separate file that holds key files and stored secrets. */
export const PRIVATE_ENDING = ".keys";
const FORMAT = 1;
/** LIMIT: bytes of the manifest, which has about 600, and of the digest. */
const TEXT_BYTES_MAX = 65_536;

export interface BackedUpLog {
  readonly origin: string;
  /** Public key that the log began with. */
  readonly first_key: string;
  readonly size: number;
  /** Root hash of the log's tree, in base64. */
  readonly root: string;
}

export interface BackupManifest {
  readonly v: typeof FORMAT;
  /** `keys` is the file with key files and stored secrets that goes with a backup. */
  readonly kind: "backup" | "keys";
  readonly at: string;
  /** Version of the FemtoClaw that made the backup. */
  readonly version: string;
  readonly log: BackedUpLog;
  /** Name of the folder of `log`. */
  readonly epoch: string;
  /** Digest of the deployment that the last boot in the log named; null if it named none. */
  readonly deployment: string | null;
}

export function newManifest(parts: Omit<BackupManifest, "v">): BackupManifest {
  return { v: FORMAT, ...parts };
}

/** Throws FEMTO_JOURNAL_FORMAT for a manifest of a later version. */
export async function readManifest(entry: ArchiveEntry): Promise<BackupManifest> {
  const parsed = entry.path === MANIFEST_FILE ? parseStrictJson(await textOf(entry)) : null;
  if (parsed === null || !parsed.ok) throw damaged(`it does not begin with ${MANIFEST_FILE}`);
  const { value } = parsed;
  const v = isObject(value) ? value["v"] : null;
  if (typeof v === "number" && v > FORMAT) {
    throw new FemtoError("FEMTO_JOURNAL_FORMAT", `the backup has format ${v} where ${FORMAT} is understood`, {
      fix: "Restore it with a version of FemtoClaw that is at least as new as the one that made it.",
    });
  }
  if (!isManifest(value)) throw damaged(`${MANIFEST_FILE} does not say what a backup says`);
  return value;
}

/**
 * INVARIANT: every bit before the last file is as it was written, and the last file can hold nothing but the digest of
 * those.
 */
export async function checkDigest(entry: ArchiveEntry): Promise<void> {
  if ((await textOf(entry)).toString() !== `${entry.before}\n`) throw damaged("it is not what was written");
}

async function textOf({ path, bytes, content }: ArchiveEntry): Promise<Buffer> {
  if (bytes > TEXT_BYTES_MAX) throw damaged(`${path} is too large`);
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function isManifest(value: unknown): value is BackupManifest {
  if (!isObject(value) || value["v"] !== FORMAT || !isObject(value["log"])) return false;
  const { kind, at, version, log, epoch, deployment } = value;
  const texts = [at, version, log["origin"], log["first_key"], log["root"], epoch];
  return (
    (kind === "backup" || kind === "keys") &&
    texts.every((text) => typeof text === "string") &&
    Number.isSafeInteger(log["size"]) &&
    (deployment === null || typeof deployment === "string")
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
