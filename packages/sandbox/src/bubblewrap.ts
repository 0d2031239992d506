/** From a view and a command to the arguments of bubblewrap. Pure; what is probed is what is run. */
import assert from "node:assert/strict";
import { FemtoError, printable } from "@femtoclaw/protocol";
import { PROXY_VARIABLES, type RelayProgram, relayMounts, relayWords } from "./relay/relay-command.ts";
import { type Mount, type SandboxView, visibilityOf } from "./view.ts";

export interface SandboxCommand {
  /** Path under which the search path holds the program; the child finds its file there and its own name in argv[0]. */
  readonly program: string;
  /** The file it leads to, as it was decided on. */
  readonly realPath: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Variables that this call adds to those of the authority, or sets to other values. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Descriptors of bubblewrap: where it reads the filter, where it says how the child fares, and the one that leads out
 * for a relay, where there is one.
 */
export const FILTER_DESCRIPTOR = 3;
export const STATUS_DESCRIPTOR = 4;
export const RELAY_DESCRIPTOR = 6;

const NAMESPACES = ["--unshare-user", "--unshare-all", "--disable-userns", "--die-with-parent"];

/**
 * `launcher` is what starts the program inside, and makes a session for it; without one bubblewrap makes the session.
 * `relay` is what starts the program where it may connect to somewhere.
 */
export function bubblewrapArguments(
  view: SandboxView,
  command: SandboxCommand,
  launcher: readonly string[] = [],
  relay: RelayProgram | null = null,
): string[] {
  requireVisible(view, command);
  const variables = childEnvironment(view, command);
  const relayed = relay === null ? [] : relayWords(relay, { ...variables, ...PROXY_VARIABLES, PWD: command.cwd });
  return [
    ...NAMESPACES,
    ...(launcher.length === 0 ? ["--new-session"] : []),
    "--clearenv",
    ...(relay === null ? Object.entries(variables) : []).flatMap(([name, value]) => ["--setenv", name, value]),
    ...view.mounts.flatMap((mount) => mountArguments(mount, relay)),
    ...["--chdir", command.cwd, "--cap-drop", "ALL"],
    ...["--seccomp", String(FILTER_DESCRIPTOR), "--json-status-fd", String(STATUS_DESCRIPTOR)],
    ...["--", ...launcher, ...relayed, command.program, ...command.args],
  ];
}

/** Sorted by name, so that the same call gives the same arguments. */
export function childEnvironment(view: SandboxView, command: SandboxCommand): Record<string, string> {
  const variables = {
    HOME: "/tmp",
    PATH: view.authority.searchPath.join(":"),
    ...view.authority.environment,
    ...command.environment,
  };
  return Object.fromEntries(Object.entries(variables).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The relay's files lie in the one folder that is always the sandbox's own. */
function mountArguments(mount: Mount, relay: RelayProgram | null): string[] {
  const { kind, path } = mount;
  switch (kind) {
    case "dev":
      return ["--dev", path, ...(relay === null ? [] : relayMounts(relay))];
    case "proc":
    case "tmpfs":
      return [`--${kind}`, path];
    case "link":
      return ["--symlink", mount.target, path];
    case "readOnly":
      return ["--ro-bind", path, path];
    case "readWrite":
      return ["--bind", path, path];
    case "maskFile":
      return ["--ro-bind", "/dev/null", path];
    case "maskFolder":
      return ["--tmpfs", path, "--remount-ro", path];
  }
}

/**
 * A program that a child may write to could change between its decision and its start, and one that
 * the child sees elsewhere would be another file.
 */
function requireVisible(view: SandboxView, { program, realPath, cwd }: SandboxCommand): void {
  assert(program.startsWith("/") && realPath.startsWith("/") && cwd.startsWith("/"), "paths of a command are absolute");
  const isMovable = visibilityOf(view.mounts, program) === "readWrite";
  const seen = isMovable ? "readWrite" : visibilityOf(view.mounts, realPath);
  if (seen !== "readOnly") {
    throw new FemtoError(
      "FEMTO_SANDBOX_UNAVAILABLE",
      seen === "readWrite"
        ? `the program ${printable(realPath)} lies where children may write`
        : `the program ${printable(realPath)} is not visible inside the sandbox`,
      { fix: "Name its folder under [sandbox].read, and do not grant it for writing." },
    );
  }
  const place = visibilityOf(view.mounts, cwd);
  if (place !== "readOnly" && place !== "readWrite") {
    throw new FemtoError(
      "FEMTO_SANDBOX_UNAVAILABLE",
      `the folder ${printable(cwd)} is not visible inside the sandbox`,
      {
        fix: "Use a folder within the workspace, or one that is granted.",
      },
    );
  }
}
