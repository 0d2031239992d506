/**
 * Small files of this user alone that are replaced atomically: whatever happens, either the old or the new content is
 * there as a whole.
 */
import { randomUUID } from "node:crypto";
import { lstatSync, readdirSync, rmSync } from "node:fs";
import { open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { systemErrorCode } from "@femtoclaw/protocol";
import { makeDurableFolders } from "./make-folders.ts";
import { syncFolder } from "./sync-folder.ts";

/** Durable when it resolves. Makes the folder if it is missing. */
export async function replaceFile(folder: string, name: string, text: string): Promise<void> {
  await using next = await staged(folder, text, NEXT);
  await next.become(name);
  sweepAbandoned(folder, ABANDONED);
}

/**
 * A file that is complete on disk under a temporary name. Unless it becomes a named file, disposing of it deletes it.
 */
export interface StagedFile extends AsyncDisposable {
  /** Takes over the name, replacing any other file. Durable when it resolves. */
  become(name: string): Promise<void>;
}

/**
 * Writes the file under a temporary name, for as long as its caller needs. That takes the room on disk first, so that
 * what must precede the file, such as a record of it, is not written for nothing.
 */
export async function stageFile(folder: string, text: string): Promise<StagedFile> {
  // INVARIANT: what it has to wait for may take as long as a disk is full, so nobody who sweeps the folder meanwhile
  // takes it for abandoned. `sweepStaged` removes what a killed process leaves.
  return await staged(folder, text, AWAITED);
}

async function staged(folder: string, text: string, suffix: string): Promise<StagedFile> {
  await makeDurableFolders(folder, 0o700);
  const next = join(folder, `${randomUUID()}.${process.pid}${suffix}`);
  const discard = (): Promise<void> => rm(next, { force: true });
  try {
    const file = await open(next, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    // The first error is the one to report. The next writer removes what stays.
    await discard().catch(() => undefined);
    throw error;
  }
  return {
    async become(name) {
      await rename(next, join(folder, name));
      await syncFolder(folder);
    },
    [Symbol.asyncDispose]: discard,
  };
}

/**
 * LIMIT: milliseconds after which a staged file counts as abandoned. Staged files are so small that they normally get
 * their name in a moment.
 */
const ABANDONED_MS = 60_000;

/**
 * Removes staged files that killed processes left in a folder to which others may be writing now. Failing to remove one
 * is not reported, because it does not affect what has been written. The group `pid` of `staged` is the number of the
 * process that writes the file. INVARIANT: the file of a process that runs is never removed, because its age says little
 * after somebody has set the clock. The age counts for the process of another container, whose number means nothing here.
 */
export function sweepAbandoned(folder: string, staged: RegExp): void {
  try {
    for (const name of readdirSync(folder)) {
      const found = staged.exec(name);
      if (found === null || isRunning(found.groups?.["pid"])) continue;
      const path = join(folder, name);
      const status = lstatSync(path, { throwIfNoEntry: false });
      if (status?.isFile() === true && isFarFromNow(status.mtimeMs, ABANDONED_MS)) rmSync(path, { force: true });
    }
  } catch {
    // The next writer tries again.
  }
}

/** Far in the past, or in a future that only a clock which was set back explains. */
export function isFarFromNow(timeMs: number, distanceMs: number): boolean {
  return Math.abs(Date.now() - timeMs) >= distanceMs;
}

function isRunning(pid: string | undefined): boolean {
  try {
    return pid !== undefined && process.kill(Number(pid), 0);
  } catch (error) {
    return systemErrorCode(error) === "EPERM";
  }
}

/** Removes all staged files. Only for a caller that keeps everybody else from writing there. */
export async function sweepStaged(folder: string): Promise<void> {
  for (const name of await readdir(folder)) if (STAGED.test(name)) await rm(join(folder, name), { force: true });
}

const NEXT = ".next";
const AWAITED = ".awaited";
/** Version 0.19.0 and older named no process. */
const ABANDONED = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\.(?<pid>\d+))?\.next$/;
const STAGED = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\.\d+)?\.(?:next|awaited)$/;
