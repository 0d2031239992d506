/** A search path on which all is found that a sandbox is tried with, and that tests call, but no bubblewrap. */
import { chownSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OTHER_STRANGER } from "../../sandbox/test/stranger.ts";
import { COMMAND, CONFIGURATION, Playground } from "./playground.ts";

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

const isRoot = process.getuid?.() === 0;
const SETPRIV = ["/usr/bin/setpriv", `--reuid=${OTHER_STRANGER}`, `--regid=${OTHER_STRANGER}`, "--clear-groups", "--"];

/** A place whose commands and hosts are an ordinary user's, on such a search path. */
export function placeWithoutBubblewrap(
  unshare: "works" | "is refused",
  configuration: string = CONFIGURATION,
): Playground {
  const place = new Playground(configuration, isRoot ? [SETPRIV[0] ?? "", ...SETPRIV.slice(1), ...COMMAND] : COMMAND);
  // Nothing may be written there that another user compiled.
  place.environment["NODE_COMPILE_CACHE"] = undefined;
  place.configure(`search_path = ["${withoutBubblewrap(place.root, unshare)}"]\n${configuration}`);
  if (isRoot) giveToStranger(place.root);
  return place;
}

function giveToStranger(root: string): void {
  const folders = [root];
  chownSync(root, OTHER_STRANGER, OTHER_STRANGER);
  for (const folder of folders) {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isSymbolicLink()) continue;
      chownSync(path, OTHER_STRANGER, OTHER_STRANGER);
      if (entry.isDirectory()) folders.push(path);
    }
  }
}
