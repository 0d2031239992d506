/** Makes folders that a command cannot do without. */
import { makeFolders } from "@femtoclaw/journal/state-directory";
import { FemtoError, printable, systemErrorCode } from "@femtoclaw/protocol";

/** Throws FEMTO_SURROUNDINGS if the folder cannot be made. */
export function neededFolder(path: string, mode: number): void {
  try {
    makeFolders(path, mode);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    const fix = "Set HOME, and XDG_STATE_HOME if you use it, to an existing folder that this user may write to.";
    throw new FemtoError("FEMTO_SURROUNDINGS", `the folder ${printable(path)} cannot be made (${code})`, {
      fix,
      cause: error,
    });
  }
}
