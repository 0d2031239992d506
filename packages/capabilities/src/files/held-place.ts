/** A name in a folder that the facts hold open: files are created, moved and removed only through it. */
import assert from "node:assert/strict";
import { type BigIntStats, constants, readlinkSync } from "node:fs";
import { type FileHandle, link, lstat } from "node:fs/promises";
import { FemtoError, hasNoHardLinks, printable, systemErrorCode } from "@femtoclaw/protocol";
import type { BoundPath, HeldFile, HeldFolder } from "../facts/bound-arguments.ts";
import { reopen } from "./path-argument.ts";

function parentOf({ parent }: BoundPath): HeldFolder & { readonly leaf: string } {
  assert(parent !== null, "the manifest declares a path that may be created");
  return parent;
}

/** The path of the name, or of another name beside it, through the held folder. */
export function leafOf(path: BoundPath, name = parentOf(path).leaf): string {
  return `/proc/self/fd/${parentOf(path).descriptor}/${name}`;
}

/** Throws if the folder was moved, because then it is no longer the place that was decided on. */
export function requirePlace(path: BoundPath): void {
  const parent = parentOf(path);
  const folder = `/proc/self/fd/${parent.descriptor}`;
  if (readlinkSync(folder) !== parent.path) throw changed(path);
}

/** What stands at the name. Throws if it is not the very file that was decided on. */
export async function requireLeaf(path: BoundPath, target: HeldFile): Promise<BigIntStats> {
  const found = await targetAt(leafOf(path), target);
  if (found === null) throw changed(path);
  return found;
}

/** Null if the name is another file's by now, or nobody's. */
export async function targetAt(name: string, { device, inode }: HeldFile): Promise<BigIntStats | null> {
  try {
    const found = await lstat(name, { bigint: true });
    return found.dev === device && found.ino === inode ? found : null;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return null;
    throw error;
  }
}

/** Gives a file a name that nobody has taken. This is the only step of the kernel's that never overwrites. */
export async function linkNew(from: string, to: string, path: BoundPath): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST") throw exists(path);
    if (!hasNoHardLinks(error)) throw error;
    const reason = `the system refuses the hard link by which ${printable(path.path)} is made: ${systemErrorCode(error)}`;
    throw new FemtoError("FEMTO_OS_REFUSED", reason, {
      fix: "Either this file system has no hard links, as FAT, and without them another file could be overwritten: use a folder on another one, or overwrite a file that exists. Or the file belongs to another user: let its owner move it.",
      cause: error,
    });
  }
}

/**
 * Opens the folder of the name. Its `sync` makes the creation or removal of the name durable. INVARIANT: it is opened
 * before anything is changed, so that no call fails for want of it that has changed something already.
 */
export async function openFolder(path: BoundPath): Promise<FileHandle> {
  const parent = parentOf(path);
  try {
    return await reopen(parent, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    if (systemErrorCode(error) !== "EACCES") throw error;
    const reason = `the host may not read the folder ${printable(parent.path)}, so it could not make a change in it durable`;
    throw new FemtoError("FEMTO_OS_REFUSED", reason, {
      fix: "Give the host's user the right to read this folder, or change it with a program.",
      cause: error,
    });
  }
}

export const exists = ({ path }: Pick<BoundPath, "path">): FemtoError =>
  new FemtoError("FEMTO_FILE_EXISTS", `${printable(path)} exists already`);

export const missing = ({ path }: BoundPath): FemtoError =>
  new FemtoError("FEMTO_FILE_NOT_FOUND", `${printable(path)} does not exist`);

export const changed = ({ path }: Pick<BoundPath, "path">): FemtoError =>
  new FemtoError("FEMTO_FILE_CHANGED", `${printable(path)} changed after the decision`);

/** For a call that states what it expects to find. */
export const unexpected = ({ path }: BoundPath, what: "sha256" | "version"): FemtoError =>
  new FemtoError("FEMTO_FILE_CHANGED", `${printable(path)} is not what the call expects: its ${what} is different`, {
    fix: "Look at what is there now, and decide again.",
  });
