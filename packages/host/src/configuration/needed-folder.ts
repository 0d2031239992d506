/** Makes folders that a command cannot do without. */
import { makeDurableFolders, makeFolders } from "@femtoclaw/journal/state-directory";
import { FemtoError, printable, systemErrorCode } from "@femtoclaw/protocol";

const OTHER_HOME = "Set HOME, and XDG_STATE_HOME if you use it, to an existing folder that this user may write to.";

/**
 * Throws FEMTO_SURROUNDINGS if the folder cannot be made. `fix` is for a folder that is not in the user's home, and
 * `name` is what people call one that is reached by an open folder.
 */
export function neededFolder(path: string, mode: number, fix = OTHER_HOME, name = path): void {
  try {
    makeFolders(path, mode);
  } catch (error) {
    throw unmade(name, error, fix);
  }
}

/** The same for a folder that no crash may take away with what is put into it. */
export async function neededDurableFolder(path: string, mode: number): Promise<void> {
  try {
    await makeDurableFolders(path, mode);
  } catch (error) {
    throw unmade(path, error, OTHER_HOME);
  }
}

function unmade(path: string, error: unknown, fix: string): unknown {
  const code = systemErrorCode(error);
  if (code === undefined) return error;
  return new FemtoError("FEMTO_SURROUNDINGS", `the folder ${printable(path)} cannot be made (${code})`, {
    fix,
    cause: error,
  });
}
