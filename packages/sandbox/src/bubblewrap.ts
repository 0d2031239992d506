/** Turns a view and a command into the arguments of bubblewrap. Pure, so that what is probed is what is run. */
import assert from "node:assert/strict";
import { FemtoError, printable } from "@femtoclaw/protocol";
import { type ChildLimits, ownLimits, prlimitArguments, SHARED_MEMORY_BYTES } from "./children/child-limits.ts";
import { pipelineArguments, STAGES_DESCRIPTOR } from "./children/pipeline.ts";
import {
  AGENT_VARIABLES,
  type AgentDescriptors,
  PROXY_VARIABLES,
  type RelayProgram,
  relayMounts,
  relayVariables,
  relayWords,
} from "./relay/relay-command.ts";
import { COPIED_DESCRIPTOR } from "./views/copied-files.ts";
import { hostInspection } from "./views/inspection.ts";
import { type Mount, visibilityOf } from "./views/mounts.ts";
import { SYSTEM_FILES, TOOL_FOLDERS } from "./views/system.ts";
import type { SandboxView } from "./views/view.ts";

export interface SandboxProgram {
  /** The path by which the search path finds the program. The child finds its file there, and this name in argv[0]. */
  readonly program: string;
  /** The file that path leads to, as the decision saw it. */
  readonly realPath: string;
  readonly args: readonly string[];
}

export interface SandboxCommand extends SandboxProgram {
  /** Further programs, each of which reads what the one before it writes; absent for a single program. */
  readonly into?: readonly SandboxProgram[];
  readonly cwd: string;
  /** Variables that this call adds to those of the authority, or sets to other values. */
  readonly environment: Readonly<Record<string, string>>;
  /** An agent: whatever it wants to change it has to propose, through the socket beside its relay. */
  readonly isAgent?: boolean;
  /** `host:port` to which the relay of an agent forwards the connections made to the relay's tunnel port. */
  readonly tunnel?: string;
}

/**
 * Descriptors of bubblewrap: where it reads the filter, where it reports how the child fares, what it waits for before
 * it does anything, and the channel of the relay if there is one.
 */
export const FILTER_DESCRIPTOR = 3;
export const STATUS_DESCRIPTOR = 4;
export const BEGIN_DESCRIPTOR = 5;
export const RELAY_DESCRIPTOR = 7;
/** Where bubblewrap reads the files that only an agent gets. */
export const AGENT_DESCRIPTORS: AgentDescriptors = { door: 8, variables: 9 };
/**
 * The first descriptor from which bubblewrap reads a file that the child is handed; the others follow it. Those of the
 * files of the system come before.
 */
export const HANDED_DESCRIPTOR = COPIED_DESCRIPTOR + SYSTEM_FILES.length;

/**
 * The first word sent to a waiting bubblewrap. It belongs to the namespaces: without it, bubblewrap refuses
 * `--disable-userns`.
 */
const MAY_BEGIN = "--unshare-user";
const NAMESPACES = ["--unshare-all", "--disable-userns", "--die-with-parent"];
const SET_VARIABLE = "--setenv";
const SET_FOLDER = "--chdir";

/**
 * `launcher` starts the program inside and makes a session for it; without one, bubblewrap makes the session. `relay`
 * gives the program a way to connect to something. Writable places other than the grants have a size limit, so that no
 * child fills the memory with files.
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
 * Splits the arguments into those sent when bubblewrap may begin, which are what a call brings beside its program, and
 * those on its command line. INVARIANT: I10: the values of variables are among the former, because other users of the
 * machine can read a command line.
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

/** Descriptors beyond the first three that are passed on to the program. */
export const passedOn = ({ into }: SandboxCommand): readonly number[] =>
  into === undefined ? [] : [STAGES_DESCRIPTOR];

/** The program itself, or the shell that connects several of them. */
export function startedBy(view: SandboxView, { program, args, into = [] }: SandboxCommand): string[] {
  if (into.length === 0) return [program, ...args];
  const programs = [[program, ...args], ...into.map((stage) => [stage.program, ...stage.args])];
  return [toolOf(view, "sh", "pipelines are made"), ...pipelineArguments(programs)];
}

/**
 * Finds a program of the system that prepares the start of another one inside the sandbox. INVARIANT: no child can
 * write to it.
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

/** INVARIANT: I4: an agent changes nothing on this machine by itself, so each change has to be a call. */
function unwritable(mount: Mount): Mount {
  return mount.kind === "readWrite" ? { ...mount, kind: "readOnly" } : mount;
}

/** The relay's files lie under `/dev`, the one folder that is always the sandbox's own. */
function mountArguments(
  mount: Mount,
  { temporaryBytes }: ChildLimits,
  relay: RelayProgram | null,
  isAgent: boolean,
): string[] {
  const { kind, path } = mount;
  switch (kind) {
    case "proc":
      return [
        // INVARIANT: I9: anyone who could write to the memory of process 1, which is bubblewrap's own, could outlive the
        // host.
        ...["--proc", path, "--tmpfs", `${path}/1`, "--remount-ro", `${path}/1`],
        // INVARIANT: no child changes the kernel. Root may change its settings without any capability, such as the
        // program that it starts outside when a process crashes. Bubblewrap covers `/proc/sys` only where the folder
        // itself looks writable, which it never does.
        ...["--remount-ro", path],
      ];
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
    case "copied":
      return ["--perms", "0444", "--file", String(mount.descriptor), path];
    case "written":
      return ["--perms", "0600", "--file", String(mount.descriptor), path];
    case "maskFile":
      return ["--ro-bind", "/dev/null", path];
    case "maskFolder":
      return ["--tmpfs", path, "--remount-ro", path];
  }
}

/**
 * A program that a child may write to could change between decision and start, and one that the child sees at another
 * place would be another file.
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
        fix: "Use a folder in the workspace, or one that is granted.",
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
        ? `the program ${printable(realPath)} is in a folder that children may write to`
        : `the program ${printable(realPath)} is not visible inside the sandbox`,
      { fix: "Name its folder under [sandbox].read, and do not grant writing to it." },
    );
  }
}
