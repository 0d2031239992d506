/** Makes folders that a command cannot do without. */
import { makeDurableFolders, makeFolders } from "@femtoclaw/journal/state-directory";
import { FemtoError, printable, systemErrorCode } from "@femtoclaw/protocol";

/** Throws FEMTO_SURROUNDINGS if the folder cannot be made. */
export function neededFolder(path: string, mode: number): void {
  try {
    makeFolders(path, mode);
  } catch (error) {
    throw unmade(path, error);
  }
}

/** The same for a folder that no crash may take away with what is put into it. */
export async function neededDurableFolder(path: string, mode: number): Promise<void> {
  try {
    await makeDurableFolders(path, mode);
  } catch (error) {
    throw unmade(path, error);
  }
}

function unmade(path: string, error: unknown): unknown {
  const code = systemErrorCode(error);
  if (code === undefined) return error;
  return new FemtoError("FEMTO_SURROUNDINGS", `the folder ${printable(path)} cannot be made (${code})`, {
    fix: "Set HOME, and XDG_STATE_HOME if you use it, to an existing folder that this user may write to.",
    cause: error,
  });
}
