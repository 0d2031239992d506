/**
 * Where a backup, a restore or a fork is made ready, beside the place that it will have. It is held by a lock of the
 * kernel, so that what a killed one has left is told from what another one is working on, and removed.
 */
import { randomUUID } from "node:crypto";
import { lstat, mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { lockClaim } from "@femtoclaw/journal/live";
import { FemtoError, printable, systemErrorCode } from "@femtoclaw/protocol";

const OWNER_ALL = 0o700;
/** Ends the name of what is being removed. */
const GONE = ".gone";
/** LIMIT: tries of one whose folder others take for left behind; each of them does so once. */
const TRIES_MAX = 16;

export type WorkKind = "backup" | "restore" | "fork";

export class WorkFolder implements AsyncDisposable {
  readonly path: string;
  readonly #lock: Disposable;

  private constructor(path: string, lock: Disposable) {
    this.path = path;
    this.#lock = lock;
  }

  /** `folder` is one in which nobody else can exchange anything; `say` hears of what was removed. */
  static async open(folder: string, kind: WorkKind, say: (line: string) => void): Promise<WorkFolder> {
    await removeLeftovers(folder, kind, say);
    for (let tries = 1; ; tries += 1) {
      const path = join(folder, `.femtoclaw-${kind}.${randomUUID()}`);
      await mkdir(path, { mode: OWNER_ALL });
      try {
        return new WorkFolder(path, lockClaim(path));
      } catch (error) {
        // Another one may have taken it, before it was locked, for what somebody has left.
        await rm(path, { recursive: true, force: true });
        if (tries === TRIES_MAX) throw error;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    using _ = this.#lock;
    await takeAway(this.path);
  }
}

/** Under a name by which nobody looks for a lock in it: whoever made one there would keep it from being removed. */
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
      // Perhaps another one is at it just now.
      await rm(path, { recursive: true, force: true });
      continue;
    }
    try {
      using _ = lockClaim(path);
      await takeAway(path);
      say(`removed ${printable(path, 4_096)}, which an interrupted ${kind} has left`);
    } catch (error) {
      // Another one works there.
      if (!(error instanceof FemtoError)) throw error;
    }
  }
}

/**
 * INVARIANT: I8: in a folder such as /tmp anybody can give a folder such a name, and exchange what lies in it for links
 * while it is locked and removed. What nobody but this user could ever write to is what was made here.
 */
async function isOwn(path: string): Promise<boolean> {
  const status = await lstat(path).catch((error: unknown) => {
    // Whoever worked there is done.
    if (systemErrorCode(error) === "ENOENT") return null;
    throw error;
  });
  return status?.isDirectory() === true && status.uid === process.geteuid?.() && (status.mode & 0o777) === OWNER_ALL;
}
