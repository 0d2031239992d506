/**
 * Where a backup or a restore is made ready, beside the place that it will have. It is held by a lock of the
 * kernel, so that what a killed one has left is told from what another one is working on, and removed.
 */
import { randomUUID } from "node:crypto";
import { lstat, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { lockClaim } from "@femtoclaw/journal";
import { FemtoError, printable } from "@femtoclaw/protocol";

const OWNER_ALL = 0o700;

export type WorkKind = "backup" | "restore";

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
    const path = join(folder, `.femtoclaw-${kind}.${randomUUID()}`);
    await mkdir(path, { mode: OWNER_ALL });
    return new WorkFolder(path, lockClaim(path));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lock[Symbol.dispose]();
    await rm(this.path, { recursive: true, force: true });
  }
}

async function removeLeftovers(folder: string, kind: WorkKind, say: (line: string) => void): Promise<void> {
  const left = new RegExp(`^\\.femtoclaw-${kind}\\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$`);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (!left.test(entry.name) || !(await isOwn(path))) continue;
    try {
      using _ = lockClaim(path);
      await rm(path, { recursive: true, force: true });
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
  const status = await lstat(path);
  return status.isDirectory() && status.uid === process.geteuid?.() && (status.mode & 0o777) === OWNER_ALL;
}
