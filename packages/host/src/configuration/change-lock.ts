/**
 * Lets one process at a time change a file that decides what counts. The lock is the kernel's and goes with whoever
 * holds it, so that one who was killed keeps nobody out.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { errorText, FemtoError, printable } from "@femtoclaw/protocol";
import type { SecureDirectory } from "@femtoclaw/runtime/secure-file";
import { makeEmptyFile } from "../installation/durable-files.ts";

/** LIMIT: pause between two tries while another process has the lock. */
const RETRY_MS = 20;
/** LIMIT: tries; whoever changes such a file needs milliseconds, so after these it was stopped or waits for a disk. */
const TRIES_MAX = 250;

/** Held until it is disposed of. `name` is that of the file in this folder that is changed; `what` says what it holds. */
export async function lockChanges(directory: SecureDirectory, name: string, what: string): Promise<Disposable> {
  const path = join(directory.path, `${name}.lock`);
  // Only what changes something needs it, and every command loads this module.
  const { lockFile } = await import("@femtoclaw/journal/file-lock");
  for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
    const lock = lockable(path, lockFile);
    if (lock !== null) return lock;
    await sleep(RETRY_MS);
  }
  throw new FemtoError("FEMTO_CONFIG_INVALID", `another process is changing ${what} (${printable(path, 4_096)})`, {
    fix: "Let it come to its end, or end it, and run the command again.",
  });
}

function lockable(path: string, lockFile: (path: string) => Disposable | null): Disposable | null {
  try {
    // INVARIANT: I8: nobody else can open it, for whoever reads a file can hold a lock on it.
    makeEmptyFile(path, 0o600);
    return lockFile(path);
  } catch (error) {
    const reason = `${printable(path, 4_096)} cannot be locked: ${printable(errorText(error))}`;
    throw new FemtoError("FEMTO_SURROUNDINGS", reason, {
      fix: "Free space on that disk, and see to it that the file is an empty one that this user may write to.",
      cause: error,
    });
  }
}
