/** Makes a folder and its missing parents. */
import { existsSync, mkdirSync, opendirSync, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { systemErrorCode } from "@femtoclaw/protocol";
import { syncFolder } from "./sync-folder.ts";

/**
 * Returns the first folder that was missing; undefined if all existed. Throws the kernel's error for the first that
 * cannot be made. The recursive mkdir of Node.js would loop for ever where a folder exists but making one in it fails
 * with ENOENT, as in /proc.
 */
export function makeFolders(path: string, mode: number): string | undefined {
  const folder = resolve(path);
  try {
    return makeOne(folder, mode);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT" || existsSync(dirname(folder))) throw error;
  }
  const first = makeFolders(dirname(folder), mode);
  const own = makeOne(folder, mode);
  return first ?? own;
}

/**
 * Makes them as well, and makes their names durable, so that no crash takes them away with what is put into them. The
 * same for folders that exist but hold nothing else: a process that was killed may have made them, and not synced them.
 */
export async function makeDurableFolders(path: string, mode: number): Promise<void> {
  const folder = resolve(path);
  const first = makeFolders(folder, mode);
  let isNew = first !== undefined;
  for (let [at, below] = [folder, ""]; isNew || holdsOnly(at, below); [at, below] = [dirname(at), basename(at)]) {
    await syncHolder(at, isNew);
    if (at === first) isNew = false;
  }
}

async function syncHolder(folder: string, isNew: boolean): Promise<void> {
  try {
    await syncFolder(dirname(folder));
  } catch (error) {
    // An administrator may have prepared an empty folder in one that this user cannot read.
    if (isNew || systemErrorCode(error) !== "EACCES") throw error;
  }
}

/** Whether a folder holds at most an entry of this name. The root of the file system always counts as holding more. */
function holdsOnly(folder: string, name: string): boolean {
  if (dirname(folder) === folder) return false;
  try {
    using entries = opendirSync(folder);
    for (let entry = entries.readSync(); entry !== null; entry = entries.readSync()) {
      if (entry.name !== name) return false;
    }
    return true;
  } catch (error) {
    // This user cannot have made a folder that it cannot read.
    if (systemErrorCode(error) === "EACCES") return false;
    throw error;
  }
}

function makeOne(folder: string, mode: number): string | undefined {
  try {
    mkdirSync(folder, { mode });
    return folder;
  } catch (error) {
    // On a read-only file system the kernel may report that error even for a folder that exists.
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return undefined;
    throw error;
  }
}
