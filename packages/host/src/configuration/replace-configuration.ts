/** Replaces the configuration that was read by a changed one, whole or not at all. */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { basename } from "node:path";
import { FemtoError, printable, systemErrorCode } from "@femtoclaw/protocol";
import { SecureDirectory } from "@femtoclaw/runtime/secure-file";
import { besideName, discard, sweepBeside } from "../installation/durable-files.ts";
import { lockChanges } from "./change-lock.ts";
import { CONFIGURATION_BYTES_MAX, type ProjectFiles } from "./project-files.ts";

export interface Staging {
  /** Folder for writing the new file, out of reach of all calls and children. */
  readonly folder: string;
  /** Whether no call can run now, so that the configuration's own folder may be used. */
  readonly isQuiet: boolean;
}

/** Owner and mode are kept. Throws FEMTO_CONFIG_INVALID if the file has changed since it was read. */
export async function replaceConfiguration(before: ProjectFiles, after: ProjectFiles, staging: Staging): Promise<void> {
  const files = { before, after };
  using directory = openFolder(before.directory);
  using staged = openFolder(staging.folder);
  using _ = await lockChanges(staged, basename(before.path), "the configuration");
  // INVARIANT: I8: the new configuration is created where no call reaches it. Otherwise a child that may write to the
  // project could hold the new file open and change it after the replacement.
  if (replacedFrom(staged, directory, files)) return;
  if (staging.isQuiet && replacedFrom(directory, directory, files)) return;
  throw new FemtoError(
    "FEMTO_CONFIG_INVALID",
    `${printable(before.path)} is on another file system than the state directory, and calls may be running`,
    { fix: "Stop the host with `femtoclaw down` and run the command again, or write the proposed entry yourself." },
  );
}

function openFolder(path: string): SecureDirectory {
  const folder = SecureDirectory.open(path);
  if (folder !== undefined) return folder;
  throw new FemtoError("FEMTO_CONFIG_NOT_FOUND", `there is no folder ${printable(path)}`);
}

interface Files {
  readonly before: ProjectFiles;
  readonly after: ProjectFiles;
}

/** Returns false if the file cannot be moved from there because the folders are on different file systems. */
function replacedFrom(staging: SecureDirectory, directory: SecureDirectory, { before, after }: Files): boolean {
  const name = basename(before.path);
  // Removes what a killed process has left.
  sweepBeside(staging.at(name));
  const next = besideName(staging.at(name));
  const descriptor = create(next, before.path);
  try {
    writeLike(descriptor, directory, name, after.configuration);
    // INVARIANT: what somebody else has written meanwhile is not overwritten. An editor that saves between these two
    // steps loses to the rename, as it would to any other editor.
    requireUnchanged(directory, name, before);
    renameSync(next, directory.at(name));
  } catch (error) {
    discard(next);
    if (systemErrorCode(error) === "EXDEV") return false;
    throw error instanceof FemtoError ? error : cannotWrite(before.path, error);
  } finally {
    closeSync(descriptor);
  }
  syncDirectory(directory);
  return true;
}

function create(next: string, path: string): number {
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
  try {
    return openSync(next, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

function writeLike(descriptor: number, directory: SecureDirectory, name: string, bytes: Uint8Array): void {
  const { uid, gid, mode } = lstatSync(directory.at(name));
  const own = fstatSync(descriptor);
  if (own.uid !== uid || own.gid !== gid) fchownSync(descriptor, uid, gid);
  fchmodSync(descriptor, mode & 0o7777);
  writeFileSync(descriptor, bytes);
  fsyncSync(descriptor);
}

function requireUnchanged(directory: SecureDirectory, name: string, { configuration, path }: ProjectFiles): void {
  const now = directory.read(name, CONFIGURATION_BYTES_MAX);
  if (now?.equals(configuration) === true) return;
  throw new FemtoError(
    "FEMTO_CONFIG_INVALID",
    `${printable(path)} has changed since it was read; nothing was written`,
    {
      fix: "Run the command again.",
    },
  );
}

function syncDirectory(directory: SecureDirectory): void {
  const descriptor = openSync(directory.at("."), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function cannotWrite(path: string, error: unknown): FemtoError {
  const code = systemErrorCode(error) ?? "unknown cause";
  return new FemtoError("FEMTO_CONFIG_INVALID", `${printable(path)} cannot be written (${code})`, {
    fix: "Write the proposed entry into the file yourself.",
    cause: error,
  });
}
