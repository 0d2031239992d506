/**
 * A folder in which a backup, a restore or a fork is prepared, beside its final place. It is held by a lock of the
 * kernel, so that leftovers of a killed process can be told from folders in use, and removed.
 */
import { randomUUID } from "node:crypto";
import { lstat, mkdir, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { lockClaim, syncFolder } from "@femtoclaw/journal/live";
import { errorText, FemtoError, printable, systemErrorCode } from "@femtoclaw/protocol";

const OWNER_ALL = 0o700;
/** Suffix of a folder that is being removed. */
const GONE = ".gone";
/** LIMIT: attempts if others take the new folder for a leftover; each of them does so once. */
const TRIES_MAX = 16;

type WorkKind = "backup" | "restore" | "fork";

export class WorkFolder implements AsyncDisposable {
  readonly path: string;
  readonly #lock: Disposable;
  readonly #stays: (reason: string) => void;

  /** `stays` is called with the reason if the folder cannot be removed in the end. */
  private constructor(path: string, lock: Disposable, stays: (reason: string) => void) {
    this.path = path;
    this.#lock = lock;
    this.#stays = stays;
  }

  /** `folder` must be one in which nobody else can replace anything. `say` is called with what was removed, and with what stays. */
  static async open(folder: string, kind: WorkKind, say: (line: string) => void): Promise<WorkFolder> {
    await removeLeftovers(folder, kind, say);
    for (let tries = 1; ; tries += 1) {
      const path = join(folder, `.femtoclaw-${kind}.${randomUUID()}`);
      await mkdir(path, { mode: OWNER_ALL });
      try {
        return new WorkFolder(path, lockClaim(path), (reason) =>
          say(`${printable(path, 4_096)} could not be removed (${reason}); the next ${kind} there does it`),
        );
      } catch (error) {
        // Before it was locked, another process may have taken this folder for a leftover.
        await rm(path, { recursive: true, force: true });
        if (tries === TRIES_MAX) throw error;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    using _ = this.#lock;
    try {
      await takeAway(this.path);
    } catch (error) {
      // What the work came to is known by now. A leftover must neither undo that nor hide why the work failed.
      this.#stays(systemErrorCode(error) ?? errorText(error));
    }
  }
}

/** Gives what was prepared its final name, durably. If that is impossible, it does not keep the name. */
export async function putInPlace(prepared: string, place: string): Promise<void> {
  await rename(prepared, place);
  try {
    await syncFolder(dirname(place));
  } catch (error) {
    await rename(place, prepared);
    throw error;
  }
}

/**
 * Removes under another name, in which nobody looks for a lock: a lock created there would keep the folder from being
 * removed.
 */
async function takeAway(path: string): Promise<void> {
  const gone = `${path}${GONE}`;
  try {
    await rename(path, gone);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
  }
  await rm(gone, { recursive: true, force: true });
}

async function removeLeftovers(folder: string, kind: WorkKind, say: (line: string) => void): Promise<void> {
  const left = new RegExp(`^\\.femtoclaw-${kind}\\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\\${GONE})?$`);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (!left.test(entry.name) || !(await isOwn(path))) continue;
    if (path.endsWith(GONE)) {
      // Another process may be removing it right now.
      await rm(path, { recursive: true, force: true });
      continue;
    }
    try {
      using _ = lockClaim(path);
      await takeAway(path);
      say(`removed ${printable(path, 4_096)}, which an interrupted ${kind} has left`);
    } catch (error) {
      // Another process works there.
      if (!(error instanceof FemtoError)) throw error;
    }
  }
}

/**
 * INVARIANT: I8: in a folder such as /tmp anybody can create a folder with such a name, and replace its contents by
 * links while it is locked and removed. So only a folder that nobody but this user could ever write to counts as made
 * here.
 */
async function isOwn(path: string): Promise<boolean> {
  const status = await lstat(path).catch((error: unknown) => {
    // The process that worked there is done.
    if (systemErrorCode(error) === "ENOENT") return null;
    throw error;
  });
  return status?.isDirectory() === true && status.uid === process.geteuid?.() && (status.mode & 0o777) === OWNER_ALL;
}
