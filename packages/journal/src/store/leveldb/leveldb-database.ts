/** Opens LevelDB, tells whether another process has it open, and translates its errors. */
import { realpath, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { errorText, FemtoError, isOutOfRoom, outOfRoom, printable, systemErrorCode } from "@femtoclaw/protocol";
import { Level } from "level";
import { temporaryFolder } from "../../state-directory/temporary-folder.ts";

/** The types of `level` lack what only its engine for Node.js offers. */
interface Compactable {
  /** Rewrites the files with keys of `[start, end]`, leaving out what was deleted there. */
  compactRange(start: string, end: string): Promise<void>;
}

export type Database = Level<string, Buffer> & Compactable;

/** LIMIT: bytes that LevelDB gathers in its log before it writes a table; two of these may be in memory. */
const WRITE_BUFFER_BYTES = 32 << 20;

export async function openDatabase(
  directory: string,
  { createIfMissing }: { readonly createIfMissing: boolean },
): Promise<Database> {
  const database = new Level<string, Buffer>(directory, {
    keyEncoding: "utf8",
    valueEncoding: "buffer",
    compression: false,
    writeBufferSize: WRITE_BUFFER_BYTES,
    createIfMissing,
  }) as Database;
  try {
    await database.open();
  } catch (error) {
    await database.close();
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    if (systemErrorCode(cause) === "LEVEL_LOCKED") throw locked(directory);
    throw databaseFault("FEMTO_JOURNAL_CORRUPT", cause);
  }
  return database;
}

/**
 * Whether another process has the directory open. LevelDB can tell that only by opening a directory, which would write
 * to it. So it opens an empty folder whose LOCK is a link to the real one.
 */
export async function isLocked(directory: string): Promise<boolean> {
  const lock = await realpath(join(directory, "LOCK"));
  const folder = await temporaryFolder("femtoclaw-lock-");
  try {
    await symlink(lock, join(folder, "LOCK"));
    const database = await openDatabase(folder, { createIfMissing: false });
    await database.close();
    return false;
  } catch (error) {
    return error instanceof FemtoError && error.code === "FEMTO_JOURNAL_LOCKED";
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function locked(directory: string): FemtoError {
  return new FemtoError("FEMTO_JOURNAL_LOCKED", `${printable(directory)} is open already`);
}

export function databaseFault(
  code: "FEMTO_JOURNAL_CORRUPT" | "FEMTO_JOURNAL_WRITE_FAILED",
  error: unknown,
): FemtoError {
  if (error instanceof FemtoError) return error;
  if (isDiskFull(error)) return outOfRoom(errorText(error), error);
  if (REFUSED.test(errorText(error))) {
    const fix = "Let the host write to its state directory, then start it again. Nothing is damaged.";
    return new FemtoError("FEMTO_JOURNAL_WRITE_FAILED", errorText(error), { fix, cause: error });
  }
  if (/: Input\/output error/.test(errorText(error))) {
    const fix = "Repair the disk, or use another one. What was acknowledged is kept as far as the disk can be read.";
    return new FemtoError("FEMTO_JOURNAL_WRITE_FAILED", errorText(error), { fix, cause: error });
  }
  const closed = /^LEVEL_(?:DATABASE|ITERATOR)_NOT_OPEN$/.test(systemErrorCode(error) ?? "");
  return new FemtoError(closed ? "FEMTO_JOURNAL_CLOSED" : code, errorText(error), { cause: error });
}

/**
 * LevelDB passes on the kernel's message and no code. What the system refuses is not damage, and neither is a disk that
 * fails: a user who is told of damage would replace an intact journal by a backup.
 */
const REFUSED = /: (?:Read-only file system|Permission denied|Operation not permitted|Too many open files)/;

function isDiskFull(error: unknown): boolean {
  return isOutOfRoom(error) || /No space left on device|Disk quota exceeded/.test(errorText(error));
}
