/**
 * Files that belong to this user alone: keys, and the identity of a state directory. A file that others could have
 * written is refused.
 */
import { constants, type Stats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { FemtoError, ownUser, printable, systemErrorCode } from "@femtoclaw/protocol";

const GROUP_AND_OTHERS = 0o077;

/** The content of the file, after checking on the open file that it is this user's alone; null if there is no file. */
export async function readPrivate(path: string, bytesMax: number, afterwards = ""): Promise<string | null> {
  const file = await openPrivate(path, constants.O_RDONLY, afterwards);
  if (file === null) return null;
  try {
    const bytes = Buffer.alloc(bytesMax);
    const { bytesRead } = await file.read(bytes, 0, bytesMax, 0);
    return bytes.toString("latin1", 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** `afterwards` is appended to the advice on how to correct the mode. */
export async function openPrivate(path: string, access: number, afterwards = ""): Promise<FileHandle | null> {
  let file: FileHandle;
  try {
    // O_NONBLOCK keeps a pipe in the file's place from blocking the open for ever.
    file = await open(path, access | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return null;
    const reason =
      systemErrorCode(error) === "ELOOP" ? "is a symbolic link" : `cannot be opened: ${systemErrorCode(error)}`;
    throw new FemtoError("FEMTO_STATE_OWNER", `${printable(path)} ${reason}`, { cause: error });
  }
  try {
    assertPrivate(path, await file.stat(), afterwards);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

// INVARIANT: a file is checked by its open descriptor, so that no other file can be put in its place meanwhile.
function assertPrivate(path: string, status: Stats, afterwards: string): void {
  const name = printable(path, path.length);
  const uid = ownUser();
  if (!status.isFile()) throw new FemtoError("FEMTO_STATE_OWNER", `${name} is not a regular file`);
  if (status.uid !== uid) {
    throw new FemtoError("FEMTO_STATE_OWNER", `${name} belongs to user ${status.uid}, this process to user ${uid}`);
  }
  if ((status.mode & GROUP_AND_OTHERS) !== 0) {
    const mode = (status.mode & 0o777).toString(8).padStart(3, "0");
    const fix = `Run chmod 600 ${name}${afterwards}.`;
    throw new FemtoError("FEMTO_STATE_MODE", `${name} has mode ${mode}`, { fix });
  }
}
