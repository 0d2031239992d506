/**
 * A lock that is the kernel's, so that it goes with the process that holds it. Node.js reaches such locks through
 * SQLite only, which stores nothing here.
 */
import { DatabaseSync } from "node:sqlite";

const SQLITE_BUSY = 5;

/**
 * Held until it is disposed of; null at once while another process holds it. The file is empty and has to stay: a lock
 * on a file that was removed would keep nobody out. Throws what keeps the file from being locked.
 */
export function lockFile(path: string): Disposable | null {
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    // Without a file of its own for what could be taken back.
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY) return null;
    throw error;
  }
}
