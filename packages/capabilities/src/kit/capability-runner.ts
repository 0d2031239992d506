/** What starts a capability of others inside a sandbox, from the sources: this Node.js and one file of ours. */
import { join } from "node:path";
import type { OwnFile } from "@femtoclaw/sandbox";

export interface CapabilityRunner {
  /** Its files in the sandbox. */
  readonly files: readonly OwnFile[];
  readonly program: string;
  readonly args: readonly string[];
  /** What confines it, for records. */
  readonly sandbox: string;
}

/** `connects` where it may connect to somewhere; where to is decided elsewhere. */
export function capabilityRunner(folder: string, connects = false): CapabilityRunner {
  const program = join(folder, "node");
  const main = join(folder, "inside.mjs");
  const code = `import(${JSON.stringify(main)}).then(({ runCapability }) => runCapability())`;
  return {
    files: [
      { path: program, from: process.execPath },
      { path: main, from: join(import.meta.dirname, "inside.js") },
    ],
    program,
    // The permissions of Node.js are a second fence for what is JavaScript, and none that anything relies on.
    args: [
      "--permission",
      ...(connects ? ["--allow-net"] : []),
      `--allow-fs-read=${folder}/`,
      "--no-warnings",
      "--disable-sigusr1",
      "--eval",
      code,
    ],
    sandbox: "bubblewrap, node permissions",
  };
}
