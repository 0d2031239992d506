/** A search path on which all is found that a sandbox is tried with, and that tests call, but no bubblewrap. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const PROGRAMS = ["cat", "echo", "env", "grep", "sh", "sleep", "tee"];

/** As it is where users may make no namespaces. */
const REFUSED = "#!/bin/sh\necho 'unshare: unshare failed: Operation not permitted' >&2\nexit 1\n";

/** From now on, in such a folder. */
export function refuseNamespaces(folder: string): void {
  rmSync(join(folder, "unshare"), { force: true });
  writeFileSync(join(folder, "unshare"), REFUSED, { mode: 0o755 });
}

/** The folder, made below another one, on which `unshare` is found if it is to be, and works or does not. */
export function withoutBubblewrap(
  parent: string,
  unshare: "works" | "is refused" | "is missing" = "is missing",
): string {
  const folder = join(parent, "programs");
  mkdirSync(folder, { mode: 0o755 });
  for (const name of PROGRAMS) symlinkSync(join("/usr/bin", name), join(folder, name));
  if (unshare === "works") symlinkSync("/usr/bin/unshare", join(folder, "unshare"));
  if (unshare === "is refused") refuseNamespaces(folder);
  return folder;
}
