/** The Landlock launcher of the executable: the executable itself. */
import { LAUNCHER_WORD } from "./launcher.js";

export function launcherCommand(): string[] {
  return [process.execPath, LAUNCHER_WORD];
}
