/** From a view and a command to the arguments of bubblewrap. Pure; what is probed is what is run. */
import assert from "node:assert/strict";
import { FemtoError, printable } from "@femtoclaw/protocol";
import { type ChildLimits, ownLimits, prlimitArguments, SHARED_MEMORY_BYTES } from "./child-limits.ts";
import { hostInspection } from "./inspection.ts";
import { type Mount, visibilityOf } from "./mounts.ts";
import { pipelineArguments, STAGES_DESCRIPTOR } from "./pipeline.ts";
import {
  AGENT_VARIABLES,
  type AgentDescriptors,
  PROXY_VARIABLES,
  type RelayProgram,
  relayMounts,
  relayVariables,
  relayWords,
} from "./relay/relay-command.ts";
import { TOOL_FOLDERS } from "./system.ts";
import type { SandboxView } from "./view.ts";

export interface SandboxProgram {
  /** Path under which the search path holds the program; the child finds its file there and its own name in argv[0]. */
  readonly program: string;
  /** The file it leads to, as it was decided on. */
  readonly realPath: string;
  readonly args: readonly string[];
}

export interface SandboxCommand extends SandboxProgram {
  /** Programs of which each reads what the one before it writes; absent where it is one program alone. */
  readonly into?: readonly SandboxProgram[];
  readonly cwd: string;
  /** Variables that this call adds to those of the authority, or sets to other values. */
  readonly environment: Readonly<Record<string, string>>;
  /** It is an agent: what it wants to change it has to propose, by the way that it finds beside its relay. */
  readonly isAgent?: boolean;
  /** `host:port` to which the relay of an agent opens a connection for each one that comes to it at a port of its own. */
  readonly tunnel?: string;
}

/**
 * Descriptors of bubblewrap: where it reads the filter, where it says how the child fares, what it waits for before it
 * does anything, and the one that leads out for a relay, where there is one.
 */
export const FILTER_DESCRIPTOR = 3;
export const STATUS_DESCRIPTOR = 4;
export const BEGIN_DESCRIPTOR = 5;
export const RELAY_DESCRIPTOR = 7;
/** Where it reads the files that only an agent gets. */
export const AGENT_DESCRIPTORS: AgentDescriptors = { door: 8, variables: 9 };
/** The first from which it reads a file that a child is handed; the others follow. */
export const HANDED_DESCRIPTOR = 10;

/** What bubblewrap is told when it may begin; without it, it refuses the one to disable namespaces. */
const MAY_BEGIN = "--unshare-user";
const NAMESPACES = ["--unshare-all", "--disable-userns", "--die-with-parent"];
const SET_VARIABLE = "--setenv";
const SET_FOLDER = "--chdir";

/**
 * `launcher` is what starts the program inside, and makes a session for it; without one bubblewrap makes the session.
 * `relay` is what starts the program where it may connect to somewhere.
 * What is writable beside the grants has a size, so that no child fills the memory with files.
 */
export function bubblewrapArguments(
  view: SandboxView,
  command: SandboxCommand,
  limits: ChildLimits,
  launcher: readonly string[] = [],
  relay: RelayProgram | null = null,
): string[] {
  requireVisible(view, command);
  const { isAgent = false, tunnel = null } = command;
  assert(!isAgent || relay !== null, "an agent reaches the host by a relay");
  const variables = childEnvironment(view, command);
  const told = { ...variables, ...PROXY_VARIABLES, ...(isAgent ? AGENT_VARIABLES : {}), PWD: command.cwd };
  const relayed = relay === null ? [] : relayWords(relay, passedOn(command), { isAgent, tunnel });
  const given = relay === null ? variables : relayVariables(told);
  return [
    ...[MAY_BEGIN, "--clearenv", ...Object.entries(given).flatMap(([name, value]) => [SET_VARIABLE, name, value])],
    ...[SET_FOLDER, command.cwd],
    ...NAMESPACES,
    ...(launcher.length === 0 ? ["--new-session"] : []),
    ...view.mounts.flatMap((mount) => mountArguments(isAgent ? unwritable(mount) : mount, limits, relay, isAgent)),
    ...(view.mounts.some(({ path }) => path === "/") ? [] : ["--remount-ro", "/"]),
    ...["--cap-drop", "ALL"],
    ...["--seccomp", String(FILTER_DESCRIPTOR), "--json-status-fd", String(STATUS_DESCRIPTOR)],
    ...["--", ...launcher, ...relayed, toolOf(view, "prlimit", "the limits of programs are set")],
    ...prlimitArguments(limits, {
      group: view.groups !== null,
      root: process.getuid?.() === 0,
      own: ownLimits(),
    }),
    ...startedBy(view, command),
  ];
}

/**
 * The arguments that bubblewrap is told when it may begin, which are what a call brings beside its program, and those that
 * it is started with. INVARIANT: I10: the values of variables are among the former, as other users of the machine can
 * read a command line.
 */
export function heldBack(args: readonly string[]): {
  readonly held: readonly string[];
  readonly first: readonly string[];
} {
  assert(args[0] === MAY_BEGIN, "bubblewrap waits for what lets it begin");
  let end = 2;
  while (args[end] === SET_VARIABLE) end += 3;
  assert(args[end] === SET_FOLDER, "the folder of a command follows its variables");
  end += 2;
  return { held: args.slice(0, end), first: args.slice(end) };
}

/** Descriptors that are handed on to what is started, beside its three. */
export const passedOn = ({ into }: SandboxCommand): readonly number[] =>
  into === undefined ? [] : [STAGES_DESCRIPTOR];

/** The program itself, or the shell that connects several. */
export function startedBy(view: SandboxView, { program, args, into = [] }: SandboxCommand): string[] {
  if (into.length === 0) return [program, ...args];
  const programs = [[program, ...args], ...into.map((stage) => [stage.program, ...stage.args])];
  return [toolOf(view, "sh", "pipelines are made"), ...pipelineArguments(programs)];
}

/**
 * A program of the system that prepares the start of another one inside the sandbox.
 * INVARIANT: it is one that no child may write to.
 */
export function toolOf({ authority, mounts }: SandboxView, name: string, purpose: string): string {
  const folders = [...TOOL_FOLDERS, ...authority.searchPath];
  const path = hostInspection.findProgram(name, folders);
  if (path === null || visibilityOf(mounts, path) !== "readOnly") {
    const reason = `${name}, with which ${purpose}, is not visible in ${folders.join(", ")}`;
    throw new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", reason, { fix: "Install util-linux." });
  }
  return path;
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

/** INVARIANT: I4: an agent changes nothing of this machine by itself, so that each change is a call. */
function unwritable(mount: Mount): Mount {
  return mount.kind === "readWrite" ? { ...mount, kind: "readOnly" } : mount;
}

/** The relay's files lie in the one folder that is always the sandbox's own. */
function mountArguments(
  mount: Mount,
  { temporaryBytes }: ChildLimits,
  relay: RelayProgram | null,
  isAgent: boolean,
): string[] {
  const { kind, path } = mount;
  switch (kind) {
    case "proc":
      // INVARIANT: I9: who could write to the memory of process 1, which is bubblewrap's own, would outlive the host.
      return ["--proc", path, "--tmpfs", `${path}/1`, "--remount-ro", `${path}/1`];
    case "dev":
      return [
        ...["--dev", path, "--size", String(SHARED_MEMORY_BYTES), "--tmpfs", `${path}/shm`],
        ...(relay === null ? [] : relayMounts(relay, isAgent ? AGENT_DESCRIPTORS : null)),
        ...["--remount-ro", path],
      ];
    case "tmpfs":
      return ["--size", String(temporaryBytes), "--tmpfs", path];
    case "link":
      return ["--symlink", mount.target, path];
    case "readOnly":
      return ["--ro-bind", path, path];
    case "readWrite":
      return ["--bind", path, path];
    case "placed":
      return ["--ro-bind", mount.from, path];
    case "handed":
      return ["--perms", "0444", "--ro-bind-data", String(mount.descriptor), path];
    case "written":
      return ["--perms", "0600", "--file", String(mount.descriptor), path];
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
export function requireVisible(view: SandboxView, command: SandboxCommand): void {
  const { cwd, into = [] } = command;
  for (const program of [command, ...into]) requireVisibleProgram(view, program);
  assert(cwd.startsWith("/"), "the folder of a command is absolute");
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

function requireVisibleProgram(view: SandboxView, { program, realPath }: SandboxProgram): void {
  assert(program.startsWith("/") && realPath.startsWith("/"), "paths of a command are absolute");
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
}
