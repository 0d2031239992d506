/** Makes a folder and its missing parents. */
import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
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

/** The same, and makes the names of new folders durable, so that no crash takes them away with what is put into them. */
export async function makeDurableFolders(path: string, mode: number): Promise<void> {
  const first = makeFolders(path, mode);
  if (first === undefined) return;
  for (let holder = dirname(resolve(path)); ; holder = dirname(holder)) {
    await syncFolder(holder);
    if (holder === dirname(first)) return;
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
