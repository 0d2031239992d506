/** Where state and sockets lie when the configuration does not say so (XDG base directories). */
import { createHash } from "node:crypto";
import { basename, isAbsolute, join } from "node:path";

/** The host's variables; passed in, so that a test or an embedder decides what they are. */
export type HostEnvironment = Readonly<Record<string, string | undefined>>;

/** LIMIT: characters of the project's name in its state directory; the rest of a path needs room too. */
const PROJECT_NAME_CHARS_MAX = 32;

/** An absolute path from a variable. The XDG specification says to ignore relative ones. */
export function absoluteVariable(environment: HostEnvironment, name: string): string | undefined {
  const value = environment[name];
  return value !== undefined && isAbsolute(value) ? value : undefined;
}

/** The folder of all state directories, or undefined when the environment names no home. */
export function stateHome(environment: HostEnvironment): string | undefined {
  return underHome(environment, "XDG_STATE_HOME", ".local/state");
}

/** The folder of the user's own configuration, or undefined when the environment names no home. */
export function configurationHome(environment: HostEnvironment): string | undefined {
  return underHome(environment, "XDG_CONFIG_HOME", ".config");
}

/** The folder of all hosts' sockets. Whoever creates it checks its owner and mode: /tmp belongs to everybody. */
export function runtimeHome(environment: HostEnvironment, uid: number): string {
  const base = absoluteVariable(environment, "XDG_RUNTIME_DIR");
  return base === undefined ? `/tmp/femtoclaw-${uid}` : join(base, "femtoclaw");
}

/** The state directory of one project below `stateHome`. */
export function projectStateName(projectDirectory: string): string {
  const name = basename(projectDirectory)
    .replaceAll(/[^A-Za-z0-9._-]/g, "_")
    .slice(0, PROJECT_NAME_CHARS_MAX);
  return `${name === "" ? "root" : name}-${shortDigest(projectDirectory)}`;
}

export function shortDigest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

function underHome(environment: HostEnvironment, variable: string, otherwise: string): string | undefined {
  const home = absoluteVariable(environment, "HOME");
  const base = absoluteVariable(environment, variable) ?? (home === undefined ? undefined : join(home, otherwise));
  return base === undefined ? undefined : join(base, "femtoclaw");
}
