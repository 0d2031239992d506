/** Writes files so that they are there whole after a crash, or not at all. */
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

/** A folder whose mode does not depend on the umask; one that is there already stays as it is. */
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

/** Opens a file that was not there before; its mode does not depend on the umask. */
export function createFile(path: string, mode: number): number {
  const descriptor = openSync(path, NEW, 0o600);
  fchmodSync(descriptor, mode);
  return descriptor;
}

/** An empty file; one that is there already stays as it is. */
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
    rmSync(next);
  }
  syncFolder(dirname(path));
}

/** What was there before, or the new content; nothing else, whatever happens. */
export function replaceFile(path: string, content: string): void {
  const next = writeBeside(path, content, 0o644);
  try {
    renameSync(next, path);
  } catch (error) {
    rmSync(next, { force: true });
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
    rmSync(next, { force: true });
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
    rmSync(next, { force: true });
    throw error;
  }
  syncFolder(dirname(path));
}

/** Null where there is no link. */
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

/** Removes what was on its way to the name of a file when somebody was killed. */
export function sweepBeside(path: string): void {
  const folder = dirname(path);
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    // Nothing is a folder on its way there; whoever can write here may have put one in the way.
    if (isBeside(entry.name, basename(path)) && !entry.isDirectory()) rmSync(join(folder, entry.name), { force: true });
  }
}

const UNIQUE = /\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Where something lies on its way to this name or from it: hidden, and by the name of nothing else. */
export const besideName = (path: string): string => join(dirname(path), `.${basename(path)}.${randomUUID()}`);

export function isBeside(name: string, of: string): boolean {
  return name.startsWith(`.${of}.`) && UNIQUE.test(name) && name.length === `.${of}.`.length + 36;
}
