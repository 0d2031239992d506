/**
 * Output files of commands. They belong to this user alone, must not exist before, and are written whole or not at all.
 */
import { constants } from "node:fs";
import { open, rm } from "node:fs/promises";
import { errorText, FemtoError, printable, systemErrorCode } from "@femtoclaw/protocol";

const OWNER_ONLY = 0o600;

/** Follows no link and overwrites nothing. If it throws FEMTO_EXPORT_FAILED, it leaves no partial file behind. */
export async function writeNew(path: string, content: string | Uint8Array): Promise<void> {
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
  try {
    const file = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, OWNER_ONLY);
    try {
      await file.writeFile(content);
      await file.sync();
    } catch (error) {
      // The first error is the one to report.
      await rm(path, { force: true }).catch(() => undefined);
      throw error;
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = systemErrorCode(error);
    throw unwritten(path, code === "EEXIST" ? "is there already" : `cannot be written: ${code ?? errorText(error)}`);
  }
}

/** Writes all of the files or none. */
export async function writeNewTogether(files: ReadonlyMap<string, string | Uint8Array>): Promise<void> {
  const written: string[] = [];
  try {
    for (const [path, content] of files) {
      await writeNew(path, content);
      written.push(path);
    }
  } catch (error) {
    for (const path of written) await rm(path, { force: true }).catch(() => undefined);
    throw error;
  }
}

export function unwritten(path: string, why: string): FemtoError {
  const fix = "Name a file that does not exist yet, in a folder that you can write to, on a disk with room.";
  return new FemtoError("FEMTO_EXPORT_FAILED", `${printable(path, 4_096)} ${why}`, { fix });
}
