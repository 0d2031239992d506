/**
 * Lets one start at a time find out what it may do with a state directory. The lock is the kernel's, so it
 * goes with the process that holds it; Node.js reaches such locks through SQLite only, which stores nothing here.
 */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { errorText, FemtoError, printable } from "@femtoclaw/protocol";

/** An empty file, and it stays: a lock on a file that was removed would keep nobody out. */
const CLAIM_LOCK_FILE = "claim.lock";
const SQLITE_BUSY = 5;

/** Held until it is disposed of. Throws FEMTO_JOURNAL_LOCKED at once while another start holds it. */
export function lockClaim(root: string): Disposable {
  const path = join(root, CLAIM_LOCK_FILE);
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    // Without a file of its own for what could be taken back.
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return database;
  } catch (error) {
    database?.close();
    const isHeld = error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY;
    if (isHeld) throw new FemtoError("FEMTO_JOURNAL_LOCKED", `another start claims ${printable(root)}`);
    const reason = `${printable(path)} cannot be locked: ${errorText(error)}`;
    const fix = "Make sure that it is an empty file of this user; it may be removed while nothing runs.";
    throw new FemtoError("FEMTO_JOURNAL_WRITE_FAILED", reason, { fix, cause: error });
  }
}
