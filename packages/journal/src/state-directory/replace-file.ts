/** Small files of this user alone that are there whole, as they were before or as they are now, whatever happens. */
import { randomUUID } from "node:crypto";
import { lstatSync, readdirSync, rmSync } from "node:fs";
import { open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { makeFolders } from "./make-folders.ts";
import { syncFolder } from "./sync-folder.ts";

/** Durable when it resolves. The folder is made where it is missing. */
export async function replaceFile(folder: string, name: string, text: string): Promise<void> {
  await using next = await stageFile(folder, text);
  await next.become(name);
  sweepAbandoned(folder, STAGED);
}

/** A file that is whole on the disk and has no name yet that anybody looks for. It goes where it gets none. */
export interface StagedFile extends AsyncDisposable {
  /** Takes the name from whatever has it; durable when it resolves. */
  become(name: string): Promise<void>;
}

/** Takes the room first, so that what has to come before the file, such as a record of it, is not said in vain. */
export async function stageFile(folder: string, text: string): Promise<StagedFile> {
  makeFolders(folder, 0o700);
  const next = join(folder, `${randomUUID()}${NEXT}`);
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
    await discard();
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

/** LIMIT: time after which a staged file has nobody who writes it any more: small as it is, it has its name in a moment. */
const ABANDONED_MS = 60_000;

/**
 * Removes files with such names that killed processes left in a folder in which others may be writing now. What cannot be
 * removed stays: it takes nothing from what has been written, so nobody is told that this failed.
 */
export function sweepAbandoned(folder: string, staged: RegExp): void {
  try {
    for (const name of readdirSync(folder)) {
      if (!staged.test(name)) continue;
      const path = join(folder, name);
      const status = lstatSync(path, { throwIfNoEntry: false });
      if (status?.isFile() === true && Date.now() - status.mtimeMs >= ABANDONED_MS) rmSync(path, { force: true });
    }
  } catch {
    // Whoever writes there next tries again.
  }
}

/** Removes what killed processes left; only for whoever keeps every other one from writing there. */
export async function sweepStaged(folder: string): Promise<void> {
  for (const name of await readdir(folder)) if (STAGED.test(name)) await rm(join(folder, name), { force: true });
}

const NEXT = ".next";
const STAGED = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.next$/;
