/**
 * The files in which clients remember logs. Each place where a log stands has a folder, and in it one file whose name
 * is the size that was seen. The largest size counts. So clients that write at the same time need no lock, and none of
 * them undoes what another one has seen.
 */
import { createHash } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { lstat, open, readdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { errorText, FemtoError, ownUser, parseStrictJson, printable, systemErrorCode } from "@femtoclaw/protocol";
import { replaceFile } from "../state-directory/replace-file.ts";
import { type KnownLog, openKnownLog } from "./known-log.ts";

/** What was seen of a log, with the time for people. */
export interface StoredLog extends KnownLog {
  readonly seenAt: string;
}

/** LIMIT: bytes of one file; a note with the signatures of many witnesses fits. */
const FILE_BYTES_MAX = 131_072;
/** LIMIT: attempts to read a folder while others write to it; each attempt finds a newer file than the one before. */
const READINGS_MAX = 16;
const NAME = /^([0-9]{16})\.json$/;
/** Holds the first key of a log that was announced as the successor of the known one. */
const SUCCESSOR = "successor.vkey";
const OTHERS_WRITE = 0o022;

export function folderOf(stateHome: string, place: string): string {
  const name = createHash("sha256").update(resolve(place)).digest("hex").slice(0, 32);
  return join(stateHome, "known-logs", name);
}

/** The newest state that was seen; null if there is none. Throws FEMTO_KNOWN_LOG_DAMAGED. */
export async function newestFile(folder: string): Promise<StoredLog | null> {
  for (let reading = 0; reading < READINGS_MAX; reading += 1) {
    const name = (await namesIn(folder)).at(-1);
    if (name === undefined) return null;
    const path = join(folder, name);
    const bytes = await readOne(path);
    if (bytes !== null) return decode(bytes, path);
  }
  throw damaged(folder, "its files go away while they are read");
}

/** Makes the new file durable before it deletes the older ones. */
export async function writeFileOf(folder: string, stored: StoredLog, size: number): Promise<void> {
  const { firstKey, key, checkpoint, seenAt } = stored;
  const fields = { version: 1, first_key: firstKey, key, checkpoint, seen_at: seenAt };
  await replaceFile(folder, `${String(size).padStart(16, "0")}.json`, `${JSON.stringify(fields)}\n`);
  // INVARIANT: I7: what was seen only grows: the file of the largest size stays, whichever client has written it.
  for (const older of (await namesIn(folder)).slice(0, -1)) await rm(join(folder, older), { force: true });
}

/** The first key of the log that was announced as successor of the known one; null if none was announced. */
export async function successorIn(folder: string): Promise<string | null> {
  const bytes = await readOne(join(folder, SUCCESSOR));
  return bytes === null ? null : bytes.toString().trim();
}

export async function writeSuccessor(folder: string, firstKey: string): Promise<void> {
  await replaceFile(folder, SUCCESSOR, `${firstKey}\n`);
}

/** Returns false if nothing was known. */
export async function forgetLogs(folder: string): Promise<boolean> {
  const known = (await namesIn(folder)).length > 0;
  await rm(folder, { recursive: true, force: true });
  return known;
}

/** Ascending. A folder that does not or cannot exist is empty. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    refuseOthers(await lstat(folder), folder);
    return (await readdir(folder)).filter((name) => NAME.test(name)).sort();
  } catch (error) {
    if (error instanceof FemtoError) throw error;
    if (/^(?:ENOENT|ENOTDIR)$/.test(systemErrorCode(error) ?? "")) return [];
    throw damaged(folder, errorText(error));
  }
}

/** Null if the file was deleted since it was listed. */
async function readOne(path: string): Promise<Buffer | null> {
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stats = await handle.stat();
      if (!stats.isFile() || stats.size > FILE_BYTES_MAX) throw damaged(path, "it is not a file of a client");
      refuseOthers(stats, path);
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof FemtoError) throw error;
    if (/^(?:ENOENT|ENOTDIR)$/.test(systemErrorCode(error) ?? "")) return null;
    throw damaged(path, errorText(error));
  }
}

function decode(bytes: Buffer, path: string): StoredLog {
  const parsed = parseStrictJson(bytes);
  const fields = parsed.ok && typeof parsed.value === "object" && !Array.isArray(parsed.value) ? parsed.value : null;
  const { version, first_key: firstKey, key, checkpoint, seen_at: seenAt } = fields ?? {};
  if (version !== 1 || typeof firstKey !== "string" || typeof key !== "string") throw damaged(path, "it is incomplete");
  if (typeof checkpoint !== "string" || typeof seenAt !== "string") throw damaged(path, "it is incomplete");
  const stored = { firstKey, key, checkpoint, seenAt: printable(seenAt, 32) };
  const state = openKnownLog(stored);
  if (typeof state === "string") throw damaged(path, state);
  if (!path.endsWith(`${String(state.size).padStart(16, "0")}.json`)) throw damaged(path, "its name is another size");
  return stored;
}

/** Anybody who can change these files can hide that a log was rolled back. */
function refuseOthers({ uid, mode }: Stats, path: string): void {
  if (uid !== ownUser()) throw damaged(path, `it belongs to another user (uid ${uid})`);
  if ((mode & OTHERS_WRITE) !== 0) throw damaged(path, `others can change it (mode ${(mode & 0o777).toString(8)})`);
}

function damaged(path: string, reason: string): FemtoError {
  return new FemtoError(
    "FEMTO_KNOWN_LOG_DAMAGED",
    `what was seen of the log is damaged (${printable(path)}): ${reason}`,
  );
}
