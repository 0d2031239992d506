/**
 * The directory of what FemtoClaw must not lose. Anybody who can write there can rewrite history, so it is used only
 * while it belongs to this user alone.
 */
import { lstatSync } from "node:fs";
import { lstat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { FemtoError, isOutOfRoom, outOfRoom, ownUser, printable, systemErrorCode } from "@femtoclaw/protocol";
import { isThere } from "./is-there.ts";
import { makeDurableFolders, makeFolders } from "./make-folders.ts";
import { sweepAbandoned } from "./replace-file.ts";

export { makeDurableFolders, makeFolders, sweepAbandoned };

/** The folder for earlier logs within a state directory. */
export const EPOCHS_FOLDER = "epochs";

/** The folders of a state directory, as absolute paths. */
export interface StateDirectory {
  readonly root: string;
  /** Folder of the journal's store. */
  readonly journal: string;
  /** Folder of the log's private keys. */
  readonly keys: string;
}

/** What to do if there is no such directory. */
interface StateDirectoryOptions {
  /** Whether a missing directory is made; otherwise it is an error. */
  readonly create: boolean;
}

const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;
const OWNER_ALL = 0o700;

/** Checks the directory, makes it if that is asked for, and returns its folders. */
export async function openStateDirectory(path: string, options: StateDirectoryOptions): Promise<StateDirectory> {
  // Resolving drops a trailing slash, which would make a symbolic link look like the folder it leads to.
  const root = resolve(path);
  const journal = join(root, "journal");
  if (options.create) await makeIfMissing(root);
  await assertPrivate(root, OTHERS);
  if (options.create) await makeIfMissing(journal);
  await assertPrivate(journal, OTHERS_WRITE);
  const keys = join(root, "keys");
  if (options.create) await makeIfMissing(keys);
  // A copy for an auditor has no keys. A writer needs them and will report that they are missing.
  if (options.create || (await isThere(keys))) await assertPrivate(keys, OTHERS);
  const epochs = join(root, EPOCHS_FOLDER);
  if (await isThere(epochs)) await assertPrivate(epochs, OTHERS_WRITE);
  return { root, journal, keys };
}

/** INVARIANT: the check follows the making, so that a folder or link put there by somebody else is found. */
async function makeIfMissing(path: string): Promise<void> {
  try {
    // What is no folder is left to the check, which also recognizes a dangling link.
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === false) return;
    await makeDurableFolders(path, OWNER_ALL);
  } catch (error) {
    throw unusable(path, error);
  }
}

async function assertPrivate(path: string, forbiddenBits: number): Promise<void> {
  const status = await lstat(path).catch((error: unknown) => {
    throw unusable(path, error);
  });
  const name = printable(path, path.length);
  if (status.isSymbolicLink()) {
    const fix = "Name the folder itself. A link could be changed to lead elsewhere.";
    throw new FemtoError("FEMTO_STATE_OWNER", `${name} is a symbolic link`, { fix });
  }
  if (!status.isDirectory()) {
    throw new FemtoError("FEMTO_STATE_OWNER", `${name} is not a folder`, { fix: "Name a folder." });
  }
  const uid = ownUser();
  if (status.uid !== uid) {
    const fix = `Run the command as that user, for example with \`sudo -u '#${status.uid}'\`. If the folder should belong to user ${uid}, let root change the owner of all of it with \`chown -R\`.`;
    const reason = `${name} belongs to user ${status.uid}, this process to user ${uid}`;
    throw new FemtoError("FEMTO_STATE_OWNER", reason, { fix });
  }
  if ((status.mode & forbiddenBits) !== 0 || (status.mode & OWNER_ALL) !== OWNER_ALL) {
    const mode = (status.mode & 0o777).toString(8).padStart(3, "0");
    throw new FemtoError("FEMTO_STATE_MODE", `${name} has mode ${mode}: run chmod 700 ${name}`);
  }
}

function unusable(path: string, error: unknown): FemtoError {
  const name = printable(path, path.length);
  const reason = systemErrorCode(error);
  if (reason === "ENOENT") return new FemtoError("FEMTO_STATE_NOT_FOUND", `${name} does not exist`, { cause: error });
  if (isOutOfRoom(error)) return outOfRoom(`${name} cannot be made: ${reason}`, error);
  const fix = "Name a state directory on a writable file system, with --state or [memory].path.";
  const options = { cause: error, ...(reason === "EROFS" ? { fix } : {}) };
  return new FemtoError("FEMTO_STATE_OWNER", `${name} cannot be used: ${reason ?? "unknown reason"}`, options);
}
