/** What one child may use of the machine, and the limits of a process that the kernel holds each of its processes to. */
import { readFileSync } from "node:fs";
import { LIMITS } from "@femtoclaw/protocol";

export interface ChildLimits {
  /** Of all its processes together where a control group counts them, else what each uses of what it may reserve. */
  readonly memoryBytes: number;
  /** Processes and threads at once. */
  readonly processes: number;
  /** Processor time of each of its processes. */
  readonly cpuMs: number;
  /** Of each file that it writes. */
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

/** Limits of which it can be told that a child came up against them, by their names in the configuration. */
export type ToldLimit = "memory_bytes" | "processes" | "cpu_ms" | "file_bytes";

/** LIMIT: bytes in `/dev/shm`, where programs share memory; as many as containers usually have. */
export const SHARED_MEMORY_BYTES = 67_108_864;

/** Seconds between asking a process to end that has used its processor time, which it may ignore, and killing it. */
export const CPU_GRACE_SECONDS = 2;

/**
 * LIMIT: times the memory that one process may reserve for writing where no group counts what is used. Programs reserve
 * far more than they use: V8 takes half a GiB for each of its threads, a test run has a dozen.
 */
const RESERVED_TIMES = 4;

/** The names of `/proc/self/limits` for what `prlimit` sets. */
const OWN_NAMES = {
  cpu: "Max cpu time",
  data: "Max data size",
  fsize: "Max file size",
  nofile: "Max open files",
  nproc: "Max processes",
} as const;
type ProcessLimit = keyof typeof OWN_NAMES;

export interface LimitedBy {
  /** A control group holds memory and processes of all together. */
  readonly group: boolean;
  /** The kernel counts the processes of a user, and exempts root. */
  readonly root: boolean;
  /** The text of `/proc/self/limits`: what nobody without privileges can go beyond. */
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

/** The limit that the signal stands for which ended a program; null where it stands for none. */
export function limitOfSignal(signal: string | null): ToldLimit | null {
  if (signal === "SIGXCPU") return "cpu_ms";
  return signal === "SIGXFSZ" ? "file_bytes" : null;
}
