/** Where a project's state and the sockets lie unless the configuration says so. */
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { absoluteVariable, type HostEnvironment } from "@femtoclaw/protocol";

/** LIMIT: characters of the project's name in its state directory; the rest of the path needs room too. */
const PROJECT_NAME_CHARS_MAX = 32;

/**
 * The folder of all hosts' sockets. The code that creates it must check its owner and mode, because /tmp belongs to
 * everybody.
 */
export function runtimeHome(environment: HostEnvironment, uid: number): string {
  const base = absoluteVariable(environment, "XDG_RUNTIME_DIR");
  return base === undefined ? `/tmp/femtoclaw-${uid}` : join(base, "femtoclaw");
}

/** The name of one project's state directory within `stateHome`. */
export function projectStateName(projectDirectory: string): string {
  const name = basename(projectDirectory)
    .replaceAll(/[^A-Za-z0-9._-]/g, "_")
    .slice(0, PROJECT_NAME_CHARS_MAX);
  return `${name === "" ? "root" : name}-${shortDigest(projectDirectory)}`;
}

export function shortDigest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}
