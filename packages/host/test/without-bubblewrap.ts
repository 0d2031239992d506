/** A search path on which all is found that a sandbox is tried with, and that tests call, but no bubblewrap. */
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";

const PROGRAMS = ["cat", "echo", "env", "grep", "sh", "sleep", "tee"];

/** The folder, made below another one. */
export function withoutBubblewrap(parent: string): string {
  const folder = join(parent, "programs");
  mkdirSync(folder, { mode: 0o755 });
  for (const name of PROGRAMS) symlinkSync(join("/usr/bin", name), join(folder, name));
  return folder;
}
