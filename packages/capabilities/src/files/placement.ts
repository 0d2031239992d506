/**
 * Puts a whole file in its place. Every step goes through the held folder, never through a path: the
 * content is written and made durable under a name of its own and takes its place in one step.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { constants, readlinkSync } from "node:fs";
import { type FileHandle, link, lstat, open, rename, stat, unlink } from "node:fs/promises";
import { FemtoError, printable, systemErrorCode } from "@femtoclaw/protocol";
import type { BoundPath, HeldFile } from "../facts/bound-arguments.ts";
import { reopen, requireType } from "./path-argument.ts";

/** Never overwrites: a name that appears meanwhile makes the last step fail. */
export async function createFile(path: BoundPath, content: Buffer, signal: AbortSignal): Promise<void> {
  if (path.target !== null) throw exists(path);
  await place(path, signal, {
    prepare: (file) => file.writeFile(content),
    commit: async (temporary, leaf) => {
      try {
        await link(temporary, leaf);
      } catch (error) {
        throw systemErrorCode(error) === "EEXIST" ? exists(path) : error;
      }
      await unlink(temporary);
    },
  });
}

/** Replaces the file that was decided on, and no other, and keeps its owner and mode. */
export async function replaceFile(path: BoundPath, content: Buffer, signal: AbortSignal): Promise<void> {
  const target = requireType(path, "file");
  await place(path, signal, {
    prepare: async (file) => {
      await keepOwnerAndMode(file, target);
      await file.writeFile(content);
    },
    commit: async (temporary, leaf) => {
      const found = await lstat(leaf, { bigint: true });
      if (found.dev !== target.device || found.ino !== target.inode) throw changed(path);
      await rename(temporary, leaf);
    },
  });
}

interface Steps {
  prepare(file: FileHandle): Promise<void>;
  commit(temporary: string, leaf: string): Promise<void>;
}

async function place(path: BoundPath, signal: AbortSignal, { prepare, commit }: Steps): Promise<void> {
  const { parent } = path;
  assert(parent !== null, "the manifest declares a path that may be created");
  const folder = `/proc/self/fd/${parent.descriptor}`;
  const temporary = `${folder}/.femtoclaw-${randomBytes(8).toString("hex")}.tmp`;
  try {
    // INVARIANT: the new file is one that nobody else prepared, neither a link nor open elsewhere.
    const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
    await using file = await open(temporary, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, 0o666);
    await prepare(file);
    await file.sync();
    signal.throwIfAborted();
    // A folder that was moved since is no longer the place that was decided on.
    if (readlinkSync(folder) !== parent.path) throw changed(path);
    await commit(temporary, `${folder}/${parent.leaf}`);
  } catch (error) {
    await removeIfPresent(temporary);
    throw error;
  }
  await using opened = await reopen(parent, constants.O_RDONLY | constants.O_DIRECTORY);
  await opened.sync();
}

/** Owner first, because changing it takes mode bits away. */
async function keepOwnerAndMode(file: FileHandle, { descriptor }: HeldFile): Promise<void> {
  const [was, is] = await Promise.all([stat(`/proc/self/fd/${descriptor}`), file.stat()]);
  if (was.uid !== is.uid || was.gid !== is.gid) await file.chown(was.uid, was.gid);
  await file.chmod(was.mode & 0o777);
}

async function removeIfPresent(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
  }
}

const exists = ({ path }: BoundPath): FemtoError =>
  new FemtoError("FEMTO_FILE_EXISTS", `${printable(path)} exists already`);

const changed = ({ path }: BoundPath): FemtoError =>
  new FemtoError("FEMTO_FILE_CHANGED", `${printable(path)} changed after the decision`);
