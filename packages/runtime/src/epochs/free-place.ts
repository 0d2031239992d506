/**
 * Checks a place for something that nobody else must be able to replace: a fork, a restored state directory, a backup.
 */
import { lstat, readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { type ErrorCode, errorText, FemtoError, ownUser, printable, systemErrorCode } from "@femtoclaw/protocol";

const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

/**
 * The canonical path of a place where nothing is, or of an empty folder. For any other place throws an error with
 * `code`.
 */
export async function freePlace(wanted: string, code: ErrorCode): Promise<string> {
  const place = await placeInOwnFolder(wanted, code);
  try {
    const status = await lstat(place);
    if (status.isSymbolicLink()) throw new FemtoError(code, `${printable(place)} is a symbolic link`);
    if (!status.isDirectory() || (await readdir(place)).length > 0) {
      throw new FemtoError(code, `${printable(place)} is not empty`);
    }
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
  }
  return place;
}

/** INVARIANT: I8: nobody else can replace anything in the folder in which the place lies. */
export async function placeInOwnFolder(wanted: string, code: ErrorCode): Promise<string> {
  const path = resolve(wanted);
  const above = await realpath(dirname(path)).catch((error: unknown) => {
    const reason = systemErrorCode(error) ?? errorText(error);
    throw new FemtoError(code, `${printable(dirname(path))} cannot be used: ${reason}`, { cause: error });
  });
  const { uid, mode } = await stat(above);
  const me = ownUser();
  if (uid !== me && uid !== 0) throw new FemtoError(code, `${printable(above)} belongs to user ${uid}`);
  // In a sticky folder such as /tmp nobody can replace somebody else's file.
  if ((mode & OTHERS_WRITE) !== 0 && (mode & STICKY) === 0) {
    throw new FemtoError(code, `others can write to ${printable(above)} (mode ${(mode & 0o7777).toString(8)})`);
  }
  return join(above, basename(path));
}
