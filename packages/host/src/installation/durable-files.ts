/** Writes files so that after a crash they are either there as a whole or not at all. */
import { randomUUID } from "node:crypto";
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { systemErrorCode } from "@femtoclaw/protocol";

const NEW = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Makes a folder whose mode does not depend on the umask. A folder that exists already stays as it is. */
export function makeFolder(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST" && lstatSync(path).isDirectory()) return;
    throw error;
  }
  chmodSync(path, mode);
  syncFolder(dirname(path));
}

/** Creates and opens a file that did not exist before. Its mode does not depend on the umask. */
export function createFile(path: string, mode: number): number {
  const descriptor = openSync(path, NEW, 0o600);
  fchmodSync(descriptor, mode);
  return descriptor;
}

/** Makes an empty file. A file that exists already stays as it is. */
export function makeEmptyFile(path: string, mode: number): void {
  try {
    closeSync(createFile(path, mode));
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
  }
}

/** INVARIANT: the name appears with all of the content, and a file that is there already is never replaced. */
export function writeNewFile(path: string, content: string | Uint8Array, mode: number): void {
  const next = writeBeside(path, content, mode);
  try {
    linkSync(next, path);
  } finally {
    discard(next);
  }
  syncFolder(dirname(path));
}

/** Whatever happens, the file has either its old content or the new one. */
export function replaceFile(path: string, content: string): void {
  const next = writeBeside(path, content, 0o644);
  try {
    renameSync(next, path);
  } catch (error) {
    discard(next);
    throw error;
  }
  syncFolder(dirname(path));
}

function writeBeside(path: string, content: string | Uint8Array, mode: number): string {
  const next = besideName(path);
  const descriptor = createFile(next, mode);
  try {
    writeFileSync(descriptor, content);
    fsyncSync(descriptor);
    return next;
  } catch (error) {
    discard(next);
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

/** INVARIANT: a link leads to what it led to before, or to the new target; there is no moment at which it is missing. */
export function replaceLink(path: string, target: string): void {
  const next = besideName(path);
  try {
    symlinkSync(target, next);
    renameSync(next, path);
  } catch (error) {
    discard(next);
    throw error;
  }
  syncFolder(dirname(path));
}

/** Removes a file that nobody needs any more. */
export function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Why its caller failed is what there is to report. The next command sweeps what stays.
  }
}

/** Null if there is no link. */
export function linkTarget(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (["ENOENT", "EINVAL", "ENOTDIR"].includes(systemErrorCode(error) ?? "")) return null;
    throw error;
  }
}

export function syncFolder(path: string): void {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Removes files that were about to get the name of this one when their process was killed. */
export function sweepBeside(path: string): void {
  const folder = dirname(path);
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    // What gets the name of a file is never a folder, but anybody who can write here may have put a folder in the way.
    if (isBeside(entry.name, basename(path)) && !entry.isDirectory()) rmSync(join(folder, entry.name), { force: true });
  }
}

const UNIQUE = /\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A hidden and unique name beside the path, for something that is about to get this name or that has just lost it. */
export const besideName = (path: string): string => join(dirname(path), `.${basename(path)}.${randomUUID()}`);

export function isBeside(name: string, of: string): boolean {
  return name.startsWith(`.${of}.`) && UNIQUE.test(name) && name.length === `.${of}.`.length + 36;
}
