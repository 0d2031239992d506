/** The folders of FemtoClaw itself: where state and sockets lie, and what no call may ever reach. */
import { statSync } from "node:fs";
import { join } from "node:path";
import {
  agentSocketName,
  type Configuration,
  FemtoError,
  type HostEnvironment,
  SOCKET_NAMES,
  stateHome,
} from "@femtoclaw/protocol";
import { canonicalPath, type PathBase } from "./canonical-path.ts";
import { projectStateName, runtimeHome, shortDigest } from "./default-directories.ts";
import { pathGrant } from "./path-grants.ts";
import type { Places } from "./places.ts";

export interface Directories {
  readonly workspace: string;
  readonly state: string;
  readonly runtime: string;
  /** Folders that also hold the state and the sockets of other projects. */
  readonly shared: readonly string[];
}

/** LIMIT: bytes of a socket's path; the kernel takes 107, and a temporary name needs a little room. */
const SOCKET_PATH_BYTES_MAX = 100;

export function resolveDirectories(
  configuration: Configuration,
  base: PathBase,
  environment: HostEnvironment,
  places: Places,
): Directories {
  const resolved = (place: readonly string[], written: string): string =>
    pathGrant(place, written, base, places)?.path ?? base.directory;
  const allState = stateHome(environment);
  const allSockets = runtimeHome(environment, process.getuid?.() ?? 0);
  const defaultState = allState === undefined ? undefined : join(allState, projectStateName(base.directory));
  const state =
    configuration.memory?.path === undefined
      ? usualState(defaultState, base, places)
      : resolved(["memory", "path"], configuration.memory.path);
  const runtime = resolved(
    ["host", "runtime_dir"],
    configuration.host?.runtime_dir ?? join(allSockets, shortDigest(state)),
  );
  const workspace = resolved(["workspace"], configuration.workspace ?? ".");
  checkWorkspace(workspace, places);
  return { workspace, state, runtime, shared: allState === undefined ? [allSockets] : [allState, allSockets] };
}

/** Nothing else can be judged without it, so its fault is the only one that is told. */
function usualState(path: string | undefined, base: PathBase, places: Places): string {
  const place = ["memory", "path"];
  if (path === undefined) {
    return places.fail(place, "set HOME to an absolute path, or set the path of the state directory here");
  }
  const canonical = canonicalPath(path, base);
  if ("problem" in canonical) {
    return places.fail(
      place,
      `${canonical.problem}: set HOME to a folder of yours, or set the path of the state directory here`,
    );
  }
  places.followed(place, canonical.links);
  return canonical.path;
}

function checkWorkspace(path: string, places: Places): void {
  if (path === "/") {
    places.fault(["workspace"], "the root of the file system cannot be the workspace; name a folder in it");
  } else if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    places.fault(["workspace"], `expected a folder that exists, found ${path}`);
  }
}

/** INVARIANT: state, sockets, configuration, policy and keys are out of every call's reach, whatever is granted. */
export function resolveFloor(
  ownPaths: readonly string[],
  directories: Directories,
  base: PathBase,
  places: Places,
): readonly string[] {
  const written = [...ownPaths, directories.state, directories.runtime, ...directories.shared];
  const floor = written.flatMap((path) => pathGrant([], path, base, places)?.path ?? []);
  return [...new Set(floor)].sort();
}

export function checkSocketPath(runtimeDirectory: string, agents: readonly string[]): void {
  const names = [...Object.values(SOCKET_NAMES), ...agents.map(agentSocketName)];
  const bytes = Math.max(...names.map((name) => Buffer.byteLength(join(runtimeDirectory, name))));
  if (bytes > SOCKET_PATH_BYTES_MAX) {
    throw new FemtoError(
      "FEMTO_SOCKET_PATH",
      `the sockets in ${runtimeDirectory} would have paths of ${bytes} bytes; at most ${SOCKET_PATH_BYTES_MAX} are possible`,
    );
  }
}
