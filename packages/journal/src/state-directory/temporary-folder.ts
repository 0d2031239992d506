/** A temporary folder that only this user can enter. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorText, FemtoError, printable, systemErrorCode } from "@femtoclaw/protocol";

/** Throws FEMTO_SURROUNDINGS if none can be made. The caller removes the folder. */
export async function temporaryFolder(prefix: string, parent = tmpdir()): Promise<string> {
  try {
    return await mkdtemp(join(parent, prefix));
  } catch (error) {
    const why = systemErrorCode(error) ?? errorText(error);
    const reason = `no folder can be made in ${printable(parent)} (${why})`;
    const fix = "Set TMPDIR to an existing folder that this user may write to and that has room.";
    throw new FemtoError("FEMTO_SURROUNDINGS", reason, { fix, cause: error });
  }
}
