/** Folders of the user who runs FemtoClaw, as environment variables name them (XDG base directories). */
import { isAbsolute, join } from "node:path";

/** The variables of a process. They are passed in, so that a test or an embedder can choose them. */
export type HostEnvironment = Readonly<Record<string, string | undefined>>;

/** An absolute path from a variable. The XDG specification says to ignore relative ones. */
export function absoluteVariable(environment: HostEnvironment, name: string): string | undefined {
  const value = environment[name];
  return value !== undefined && isAbsolute(value) ? value : undefined;
}

/** The folder of all state directories; undefined if the environment names no home. */
export function stateHome(environment: HostEnvironment): string | undefined {
  return underHome(environment, "XDG_STATE_HOME", ".local/state");
}

/** The folder of the user's own configuration; undefined if the environment names no home. */
export function configurationHome(environment: HostEnvironment): string | undefined {
  return underHome(environment, "XDG_CONFIG_HOME", ".config");
}

function underHome(environment: HostEnvironment, variable: string, otherwise: string): string | undefined {
  const home = absoluteVariable(environment, "HOME");
  const base = absoluteVariable(environment, variable) ?? (home === undefined ? undefined : join(home, otherwise));
  return base === undefined ? undefined : join(base, "femtoclaw");
}
