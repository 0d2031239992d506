/**
 * A kernel lock, so that it is released when the process that holds it ends. Node.js offers such locks only through
 * SQLite, which stores nothing here.
 */
import { closeSync, constants, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

const SQLITE_BUSY = 5;
const SQLITE_CANTOPEN = 14;

/**
 * Held until disposed of; null at once if another process holds it. The file is empty and must not be deleted: a lock
 * on a deleted file keeps nobody out. Throws the reason if the file cannot be locked.
 */
export function lockFile(path: string): Disposable | null {
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    // In-memory journal mode avoids a separate rollback file.
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return database;
  } catch (error) {
    database?.close();
    const code = error instanceof Error && "errcode" in error ? error.errcode : null;
    if (code === SQLITE_BUSY) return null;
    throw code === SQLITE_CANTOPEN ? reasonOf(path, error) : error;
  }
}

/**
 * SQLite does not say why it cannot open a file, so the system is asked. INVARIANT: only about a file that SQLite could
 * not open: to close a file that this process has locked would give up the lock.
 */
function reasonOf(path: string, error: unknown): unknown {
  try {
    closeSync(openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600));
    return error;
  } catch (reason) {
    return reason;
  }
}
