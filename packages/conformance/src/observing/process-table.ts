/** What the kernel knows about processes; empty on systems without /proc. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Command lines of all processes that contain this text. */
export function processesWith(text: string): string[] {
  return pids()
    .map((pid) => read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim())
    .filter((line) => line.includes(text));
}

/** Processes that have ended and that their parent has not waited for. */
export function zombiesOf(parent: number): number {
  return pids().filter((pid) => {
    const [, state, ppid] = /\) (\S) (\d+)/.exec(read(`/proc/${pid}/stat`)) ?? [];
    return state === "Z" && Number(ppid) === parent;
  }).length;
}

export function rssBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(read(`/proc/${pid}/status`))?.[1] ?? Number.NaN) * 1_024;
}

export function descriptors(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return Number.NaN;
  }
}

/** Processor time of all threads, in nanoseconds. */
export function cpuNs(pid: number): number {
  try {
    const tasks = readdirSync(`/proc/${pid}/task`);
    return tasks.reduce((sum, task) => sum + Number(read(`/proc/${pid}/task/${task}/schedstat`).split(" ")[0]), 0);
  } catch {
    return Number.NaN;
  }
}

export function privilegesOf(pid: number): { readonly uid: number | null; readonly privileges: string } {
  const status = read(`/proc/${pid}/status`);
  const uid = /Uid:\s+\d+\s+(\d+)/.exec(status)?.[1];
  return { uid: uid === undefined ? null : Number(uid), privileges: /CapEff:\s+(\S+)/.exec(status)?.[1] ?? "unknown" };
}

export const NAMESPACES = ["pid", "mnt", "net", "ipc", "uts", "user"] as const;

export function ownNamespaces(): Record<string, string> {
  return Object.fromEntries(NAMESPACES.map((name) => [name, link(`/proc/self/ns/${name}`)]));
}

function pids(): number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // The process has ended meanwhile, or there is no /proc.
    return "";
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "unknown";
  }
}
