/**
 * Lets only one process at a time change a file that decides what is in force. The lock belongs to the kernel and is
 * released when its holder ends, so a killed process keeps nobody out.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { errorText, FemtoError, printable } from "@femtoclaw/protocol";
import type { SecureDirectory } from "@femtoclaw/runtime/secure-file";
import { makeEmptyFile } from "../installation/durable-files.ts";

/** LIMIT: milliseconds between two attempts while another process has the lock. */
const RETRY_MS = 20;
/**
 * LIMIT: attempts. Changing such a file takes milliseconds, so by then the holder was stopped or is waiting for a disk.
 */
const TRIES_MAX = 250;

/** Held until disposed of. `name` is the file in this folder that is changed, and `what` describes its content. */
export async function lockChanges(directory: SecureDirectory, name: string, what: string): Promise<Disposable> {
  const path = join(directory.path, `${name}.lock`);
  // Imported on demand, because every command loads this module but only changes need the lock.
  const { lockFile } = await import("@femtoclaw/journal/file-lock");
  for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
    const lock = lockable(path, lockFile);
    if (lock !== null) return lock;
    await sleep(RETRY_MS);
  }
  throw new FemtoError("FEMTO_CONFIG_INVALID", `another process is changing ${what} (${printable(path, 4_096)})`, {
    fix: "Wait until it ends, or end it, then run the command again.",
  });
}

function lockable(path: string, lockFile: (path: string) => Disposable | null): Disposable | null {
  try {
    // INVARIANT: I8: nobody else can open the lock file, because anyone who can read a file can hold a lock on it.
    makeEmptyFile(path, 0o600);
    return lockFile(path);
  } catch (error) {
    const reason = `${printable(path, 4_096)} cannot be locked: ${printable(errorText(error))}`;
    throw new FemtoError("FEMTO_SURROUNDINGS", reason, {
      fix: "Free space on that disk, and make sure that the file is empty and writable for this user.",
      cause: error,
    });
  }
}
