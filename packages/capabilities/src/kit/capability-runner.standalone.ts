/**
 * What starts a capability of others inside a sandbox, from the executable: the executable itself. It takes no options
 * of Node.js, so that the sandbox alone confines what it runs.
 */
import { join } from "node:path";
import type { CapabilityRunner } from "./capability-runner.ts";
import { CAPABILITY_WORD } from "./inside.js";

export function capabilityRunner(folder: string): CapabilityRunner {
  const program = join(folder, "node");
  return {
    files: [{ path: program, from: process.execPath }],
    program,
    args: [CAPABILITY_WORD],
    sandbox: "bubblewrap",
  };
}
