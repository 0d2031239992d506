/** The Landlock launcher of the sources: this Node.js and one file of ours. */
import { join } from "node:path";

export function launcherCommand(): string[] {
  const code = `import(${JSON.stringify(join(import.meta.dirname, "launcher.js"))}).then(({ launch }) => launch())`;
  return [process.execPath, "--no-warnings", "--eval", code];
}
