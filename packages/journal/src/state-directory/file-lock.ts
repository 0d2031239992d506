/**
 * A kernel lock, so that it is released when the process that holds it ends. Node.js offers such locks only through
 * SQLite, which stores nothing here.
 */
import { DatabaseSync } from "node:sqlite";

const SQLITE_BUSY = 5;

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
    if (error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY) return null;
    throw error;
  }
}
