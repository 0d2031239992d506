/** A process and everything that it started: its CPU time, and how to kill it. */
import { readdirSync, readFileSync } from "node:fs";

/** Linux counts in hundredths of a second, whatever the kernel was built for. */
const TICK_US = 10_000;

interface Process {
  readonly pid: number;
  readonly parent: number;
  /** Its own, and that of children it has waited for. */
  readonly cpuUs: number;
}

/** The process itself comes first; empty if it has ended. */
export function treeOf(root: number): number[] {
  return familyOf(root).map(({ pid }) => pid);
}

/** CPU time so far of a process and everything that it started. */
export function treeCpuUs(root: number): number {
  return familyOf(root).reduce((sum, { cpuUs }) => sum + cpuUs, 0);
}

/** All are stopped before the first is killed, so that none of them sees another one end. */
export function killAll(pids: readonly number[]): void {
  for (const pid of pids) if (pid !== process.pid) signal(pid, "SIGSTOP");
  for (const pid of pids.toReversed()) signal(pid, "SIGKILL");
}

/** Ignores a process that has ended already. A negative number is a process group. */
export function signal(pid: number, name: "SIGSTOP" | "SIGKILL"): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** A zombie does not count as alive: all that it holds is its number. */
export function isAlive(pid: number): boolean {
  return readProcess(pid) !== null;
}

function familyOf(root: number): Process[] {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)) ?? []);
  const family = all.filter(({ pid }) => pid === root);
  // The array grows while it is walked, until the youngest have no children.
  for (const { pid } of family) family.push(...all.filter(({ parent }) => parent === pid));
  return family;
}

function readProcess(pid: number): Process | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return null;
  }
  // The program's name stands in brackets and may contain anything.
  const [state, parent, ...fields] = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const ticks = fields.slice(9, 13).reduce((sum, field) => sum + Number(field), 0);
  return state === "Z" || state === "X" ? null : { pid, parent: Number(parent), cpuUs: ticks * TICK_US };
}
