/** Starts the confining program as a child of this process, and signals the processes inside it. */
import type { IOType } from "node:child_process";
import { readFileSync } from "node:fs";
import { errorText, FemtoError, systemErrorCode } from "@femtoclaw/protocol";
import { spawnProcess } from "#spawn-process";
import { HANDED_DESCRIPTOR } from "../bubblewrap.ts";
import { isByGroup, processesBetween, type Rung } from "../probing/rung.ts";
import type { SpawnedProcess } from "../spawning/spawned-process.ts";
import { COPIED_DESCRIPTOR, type CopiedFiles } from "../views/copied-files.ts";
import type { ChildStart } from "./child-start.ts";
import { startWatched } from "./orphan-watch.ts";

export interface ChildOptions {
  readonly detached?: boolean;
  readonly pipes?: number;
  readonly handed?: number;
}

const pipesFor = (length: number): IOType[] => Array.from({ length }, () => "pipe");
const ignoredUpTo = (end: number, from: number): IOType[] => Array.from({ length: end - from }, () => "ignore");

/**
 * Starts a program that waits on a descriptor before it begins. INVARIANT: it does nothing before that, and exits if
 * the process that started it has exited. `stdio` are the first three descriptors; pipes for the plan, the status and the
 * beginning follow, then `pipes` more. `handed` is the number of pipes for files that the child is handed.
 */
export function startChild(
  { program, args, isHeld }: Pick<ChildStart, "program" | "args" | "isHeld">,
  rung: Rung,
  stdio: readonly [IOType | number, IOType | number, IOType | number],
  copied: CopiedFiles,
  { pipes = 0, handed = 0, ...options }: ChildOptions = {},
): SpawnedProcess {
  // Without namespaces a child is ended by its process group, so it needs one of its own.
  const detached = isHeld || options.detached === true;
  try {
    const child = copied.whileOpen((descriptors) => {
      const own: (IOType | number)[] = [...stdio, ...pipesFor(3), ...pipesFor(pipes)];
      if (descriptors.length > 0) own.push(...ignoredUpTo(COPIED_DESCRIPTOR, own.length), ...descriptors);
      if (handed > 0) own.push(...ignoredUpTo(HANDED_DESCRIPTOR, own.length), ...pipesFor(handed));
      const request = { program, args, detached, stdio: own };
      return isByGroup(rung.name) ? spawnProcess(request) : startWatched(request, rung.shell);
    });
    requireStreams(child);
    return child;
  } catch (error) {
    if (error instanceof FemtoError) throw error;
    const code = systemErrorCode(error);
    if (code === "EMFILE") throw noDescriptorLeft();
    if (code === "E2BIG") throw tooLong();
    throw new FemtoError("FEMTO_OS_REFUSED", `the sandbox could not be started (${code ?? errorText(error)})`);
  }
}

/**
 * If no descriptor is left, Node.js makes no streams either, which it does for every other child that fails to start.
 */
export function requireStreams(child: Pick<SpawnedProcess, "on" | "stdio">): void {
  if ((child as Partial<SpawnedProcess>).stdio !== undefined) return;
  // The fault thrown below tells the caller; an `error` event that nobody listens to would end this process.
  child.on("error", () => undefined);
  throw noDescriptorLeft();
}

/** Linux takes 128 KiB for one argument, and for all together a quarter of the limit of the stack. */
function tooLong(): FemtoError {
  const reason = "the arguments of the program are longer than the system takes (E2BIG)";
  return new FemtoError("FEMTO_OS_REFUSED", reason, {
    fix: "Send the call with shorter arguments. Give the program a long text as its standard input or in a file.",
  });
}

function noDescriptorLeft(): FemtoError {
  return new FemtoError("FEMTO_OS_REFUSED", "the sandbox could not be started: this process has no descriptor left", {
    fix: "Send the call again when fewer calls run. An operator can raise the host's limit of open files.",
  });
}

/**
 * Sends a signal to the program and the orphans beside it, or to all processes inside; false if none could be reached.
 * A signal to bubblewrap itself would kill everything at once, so the processes inside are signalled: bubblewrap's
 * child is process 1 of the sandbox, and its children are the program and orphans. Under Landlock the program is a
 * child of the guard, or of process 1 of its namespaces; beside it stands a process that ignores the signal. This
 * process has not yet waited for any of them, so none of these numbers can have been reused. Seatbelt does not reveal
 * parents, so the whole group is signalled, which its guards ignore.
 */
export function signalInside(
  { pid, exitCode, signalCode }: SpawnedProcess,
  rung: Rung["name"],
  signal: NodeJS.Signals,
  whom: "program" | "all" = "program",
): boolean {
  if (pid === undefined || exitCode !== null || signalCode !== null) return false;
  if (rung === "seatbelt") return isReached(-pid, signal);
  let inside = childrenOf(pid);
  for (let between = processesBetween(rung); between > 0; between -= 1) inside = inside.flatMap(childrenOf);
  if (whom === "all") for (let at = 0; at < inside.length; at += 1) inside.push(...childrenOf(inside[at] ?? 0));
  return inside.filter((process) => isReached(process, signal)).length > 0;
}

/**
 * Kills bubblewrap and its sandbox. INVARIANT: nothing outlives this: the kernel kills everything inside together with
 * process 1. Bubblewrap's death kills process 1, but only after process 1 has asked for that. So bubblewrap is stopped
 * first, lest it start more, and what it has started is killed before it. On the other rungs all processes are in the
 * group of their guard, which none can leave, and the kernel kills a group in one step.
 */
export function killWhole(child: SpawnedProcess, rung: Rung["name"]): void {
  const { pid, exitCode, signalCode } = child;
  const isThere = pid !== undefined && exitCode === null && signalCode === null;
  if (isThere && isByGroup(rung)) isReached(-pid, "SIGKILL");
  else if (isThere && child.kill("SIGSTOP")) for (const inside of childrenOf(pid)) isReached(inside, "SIGKILL");
  child.kill("SIGKILL");
}

/**
 * Kills what is left of a guard that somebody else killed. Its process number names the group as long as anybody is in
 * it.
 */
export function killGroup(pid: number): void {
  isReached(-pid, "SIGKILL");
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  } catch {
    // It has ended, or this kernel does not list children; a process that cannot be asked to end is killed.
    return [];
  }
}

function isReached(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    // It has ended by itself or may not be signalled; it is killed with all others.
    return false;
  }
}
