/**
 * What one child may use of the machine, and the per-process limits that the kernel enforces on each of its processes.
 */
import { readFileSync } from "node:fs";
import { LIMITS } from "@femtoclaw/protocol";

export interface ChildLimits {
  /**
   * Used by all its processes together if a control group counts them, else a base for what each of them may reserve.
   */
  readonly memoryBytes: number;
  /** Processes and threads at once. */
  readonly processes: number;
  /** Processor time of each of its processes. */
  readonly cpuMs: number;
  /** Bytes of each file that it writes. */
  readonly fileBytes: number;
  /** Descriptors of each of its processes. */
  readonly openFiles: number;
  /** What it may keep in `/tmp`. */
  readonly temporaryBytes: number;
}

/** Where the configuration says nothing else. */
export const DEFAULT_CHILD_LIMITS: ChildLimits = {
  memoryBytes: LIMITS.childMemoryBytes,
  processes: LIMITS.childProcesses,
  cpuMs: LIMITS.childCpuMs,
  fileBytes: LIMITS.childFileBytes,
  openFiles: LIMITS.childOpenFiles,
  temporaryBytes: LIMITS.childTemporaryBytes,
};

/** The limits that a child can be reported to have run into, by their names in the configuration. */
export type ToldLimit = "memory_bytes" | "processes" | "cpu_ms" | "file_bytes";

/** LIMIT: bytes in `/dev/shm`, where programs share memory; as many as containers usually have. */
export const SHARED_MEMORY_BYTES = 67_108_864;

/**
 * A process that has used its processor time is asked to end, which it may ignore, and killed after this many seconds.
 */
export const CPU_GRACE_SECONDS = 2;

/**
 * LIMIT: multiple of the memory limit that one process may reserve if no control group counts what is used. Programs
 * reserve far more than they use: V8 takes half a GiB for each of its threads, and a test run has a dozen of them.
 */
const RESERVED_TIMES = 4;

/** What `/proc/self/limits` calls the limits that `prlimit` sets. */
const OWN_NAMES = {
  cpu: "Max cpu time",
  data: "Max data size",
  fsize: "Max file size",
  nofile: "Max open files",
  nproc: "Max processes",
} as const;
type ProcessLimit = keyof typeof OWN_NAMES;

export interface LimitedBy {
  /** A control group limits memory and processes of all processes together. */
  readonly group: boolean;
  /** The host is root, whose processes the kernel does not count. */
  readonly root: boolean;
  /** The text of `/proc/self/limits`: hard limits that nobody can exceed without privileges. */
  readonly own: string;
}

/** Arguments of `prlimit`, in front of the program. Pure. */
export function prlimitArguments(limits: ChildLimits, by: LimitedBy): string[] {
  const seconds = Math.ceil(limits.cpuMs / 1_000);
  const wanted: [ProcessLimit, number, number][] = [
    ["cpu", seconds, seconds + CPU_GRACE_SECONDS],
    ["fsize", limits.fileBytes, limits.fileBytes],
    ["nofile", limits.openFiles, limits.openFiles],
  ];
  const reserved = limits.memoryBytes * RESERVED_TIMES;
  if (!by.group) wanted.push(["data", reserved, reserved]);
  // Inside the sandbox the kernel counts the processes of this user namespace alone, which are those of one child.
  if (!by.group && !by.root) wanted.push(["nproc", limits.processes, limits.processes]);
  const set = wanted.map(([name, soft, hard]) => {
    const most = ownHardLimit(by.own, OWN_NAMES[name]);
    return `--${name}=${Math.min(soft, most)}:${Math.min(hard, most)}`;
  });
  return ["--core=0", ...set, "--"];
}

export const ownLimits = (): string => readFileSync("/proc/self/limits", "utf8");

function ownHardLimit(own: string, name: string): number {
  const line = own.split("\n").find((text) => text.startsWith(name));
  const hard = line?.slice(name.length).trim().split(/\s+/)[1];
  return hard === undefined || hard === "unlimited" ? Number.POSITIVE_INFINITY : Number(hard);
}

/** The limit that a program exceeded if this signal ended it; null if the signal stands for no limit. */
export function limitOfSignal(signal: string | null): ToldLimit | null {
  if (signal === "SIGXCPU") return "cpu_ms";
  return signal === "SIGXFSZ" ? "file_bytes" : null;
}
