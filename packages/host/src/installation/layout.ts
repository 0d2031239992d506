/** Where everything of an installation lies. */
import { lstatSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import {
  absoluteVariable,
  configurationHome,
  FemtoError,
  type HostEnvironment,
  ownUser,
  printable,
} from "@femtoclaw/protocol";

export type Scope = "system" | "user";

export interface Layout {
  readonly scope: Scope;
  /** The folder that everything lies in; null for the usual places of this machine. */
  readonly prefix: string | null;
  /** Folder with the executables that were put in force, the link to the one that is in force now, and the lock. */
  readonly library: string;
  /** The link by which a shell finds the command. */
  readonly command: string;
  /** Folder of the configuration and its policies. */
  readonly configuration: string;
  /** What the host itself writes: state, sockets, the workspace. */
  readonly data: string;
  /** The unit file, by which systemd knows the service. */
  readonly unit: string;
}

/**
 * Names inside a library: the folder of all deployments, the executable in each of them, and the link to the deployment
 * in force.
 */
export const DEPLOYMENTS = "deployments";
export const EXECUTABLE = "femtoclaw";
export const CURRENT = "current";

export const UNIT = "femtoclaw.service";
/** Name of the command, and of each folder that is FemtoClaw's alone. */
export const NAME = "femtoclaw";

/** INVARIANT: no path has a special meaning in a unit file, where quotes, `%` and `$` have one, or in TOML. */
const PLAIN = /^\/[\w.@+:,=/ -]*$/;

/** The executable in force, through the link that every start follows anew. */
export const programInForce = (library: string): string => join(library, CURRENT, EXECUTABLE);

/** The library that a program belongs to, as its path tells; null if the program was not installed. */
export function libraryPathOf(program: string): string | null {
  const folder = dirname(dirname(program));
  return basename(folder) === DEPLOYMENTS && basename(program) === EXECUTABLE ? dirname(folder) : null;
}

export function layoutOf(scope: Scope, prefix: string | null, environment: HostEnvironment): Layout {
  const layout = prefix === null ? usualPlaces(scope, environment) : below(scope, prefix);
  for (const path of [layout.library, layout.command, layout.configuration, layout.data, layout.unit]) {
    if (!PLAIN.test(path)) {
      throw new FemtoError(
        "FEMTO_INSTALL_REFUSED",
        `${printable(path, 4_096)} has a character that a unit file reads`,
        {
          fix: "Choose folders whose names contain only letters, digits, spaces and . _ @ + : , = -",
        },
      );
    }
  }
  return layout;
}

function usualPlaces(scope: Scope, environment: HostEnvironment): Layout {
  if (scope === "system") {
    return {
      scope,
      prefix: null,
      library: "/usr/local/lib/femtoclaw",
      command: "/usr/local/bin/femtoclaw",
      configuration: "/etc/femtoclaw",
      data: "/var/lib/femtoclaw",
      unit: join("/etc/systemd/system", UNIT),
    };
  }
  const home = absoluteVariable(environment, "HOME");
  const configuration = configurationHome(environment);
  if (home === undefined || configuration === undefined) {
    throw new FemtoError("FEMTO_INSTALL_REFUSED", "the environment names no home", {
      fix: "Set HOME to an absolute path, or name a folder with --prefix.",
    });
  }
  return {
    scope,
    prefix: null,
    library: join(home, ".local/lib", NAME),
    command: join(home, ".local/bin", NAME),
    configuration,
    data: join(absoluteVariable(environment, "XDG_DATA_HOME") ?? join(home, ".local/share"), NAME),
    unit: join(dirname(configuration), "systemd/user", UNIT),
  };
}

function below(scope: Scope, prefix: string): Layout {
  return {
    scope,
    prefix,
    library: join(prefix, "lib", NAME),
    command: join(prefix, "bin", NAME),
    configuration: join(prefix, "etc", NAME),
    data: join(prefix, "var/lib", NAME),
    unit: join(prefix, "lib/systemd", scope, UNIT),
  };
}

/**
 * INVARIANT: I8: only this user and root can change what lies on the way to a folder of the installation. Anybody else
 * who could would choose what is run.
 */
export function assertKept(path: string): void {
  let folder = path;
  while (lstatSync(folder, { throwIfNoEntry: false }) === undefined) folder = dirname(folder);
  const canonical = realpathSync.native(folder);
  const uid = ownUser(process.getuid);
  for (let above = canonical, last = ""; above !== last; last = above, above = dirname(above)) {
    const { uid: owner, mode } = lstatSync(above);
    const isKept = (mode & 0o022) === 0 || ((mode & 0o1000) !== 0 && above !== path);
    if ((owner === uid || owner === 0) && isKept) continue;
    const finding = isKept
      ? `belongs to user ${owner}`
      : `can be changed by others (mode ${(mode & 0o7777).toString(8)})`;
    throw new FemtoError("FEMTO_INSTALL_REFUSED", `${printable(above, 4_096)} ${finding}`, {
      fix: isKept ? "Install into a folder that only you can write to." : `Run: chmod go-w ${printable(above, 4_096)}`,
    });
  }
}
