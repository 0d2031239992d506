/** Makes a folder and those above it, wherever it is to be. */
import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { systemErrorCode } from "@femtoclaw/protocol";

/**
 * The first of the folders that were missing; undefined where all of them were there. Throws what the kernel says of the
 * first that cannot be made. Node.js itself goes on for ever where a folder is there and says that one in it cannot be for
 * want of it, as /proc does.
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

function makeOne(folder: string, mode: number): string | undefined {
  try {
    mkdirSync(folder, { mode });
    return folder;
  } catch (error) {
    // On a read-only file system the kernel may say that of what is there.
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return undefined;
    throw error;
  }
}
