/** The control groups of one child, one in each hierarchy. No other child ever uses them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { mkdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { FemtoError, systemErrorCode } from "@femtoclaw/protocol";
import type { ChildLimits, ToldLimit } from "../children/child-limits.ts";
import { type Group, type HostGroup, isRemoved, textOf } from "./host-group.ts";
import { joiningArguments } from "./joining.ts";

/** LIMIT: tries, END_PAUSE_MS apart, in which the kernel removes killed processes from a group. */
const END_TRIES = 60;
export const END_PAUSE_MS = 50;

/** LIMIT: processes of one group. The kernel has no more numbers for processes, and takes no larger limit. */
const PROCESSES_MAX = 4_194_304;

export class ChildGroup {
  /**
   * Resolves when the groups exist and have their limits; null if they do already. Rejects with
   * FEMTO_SANDBOX_UNAVAILABLE.
   */
  readonly made: Promise<void> | null;
  readonly #shell: string;
  readonly #limits: ChildLimits;
  readonly #hosts: readonly HostGroup[];
  readonly #groups: readonly Group[];
  /** The groups that this object made. A group that stood in the way belongs to somebody else. */
  readonly #own: Group[] = [];
  #exceeded: readonly ToldLimit[] | null = null;

  /**
   * The groups lie within those of the host, which exist as long as they do. The limits apply to all processes in the
   * group, including those that stand beside a program.
   */
  constructor(hosts: readonly HostGroup[], name: string, shell: string, limits: ChildLimits) {
    this.#shell = shell;
    this.#limits = limits;
    this.#hosts = hosts;
    this.#groups = hosts.map(({ group }) => ({ ...group, folder: join(group.folder, name) }));
    this.made = this.#make();
    // A caller that only ends the child is not interested in why its groups were not made.
    this.made?.catch(() => undefined);
  }

  /** The command that starts in place of `command` and joins the groups first; see `joining.ts`. */
  joining(command: readonly string[]): { readonly program: string; readonly args: readonly string[] } {
    const files = this.#groups.map((group) => join(group.folder, group.version === 1 ? "tasks" : MEMBERS));
    return { program: this.#shell, args: joiningArguments(files, command) };
  }

  /** Whether this process alone is in all of the groups, and they still have the limits that they were given. */
  holds(pid: number): boolean {
    return this.#groups.every((group) => {
      const isFrozen = group.version === 2 && textOf(join(group.folder, "cgroup.freeze")).trim() === "1";
      const isAlone = textOf(join(group.folder, MEMBERS)).trim() === String(pid);
      return isAlone && !isFrozen && limitsOf(group, this.#limits).every((limit) => isSet(group, limit));
    });
  }

  /** The limits that its processes ran into. */
  exceeded(): readonly ToldLimit[] {
    return this.#exceeded ?? this.#groups.flatMap(exceededOf);
  }

  /** Removes the groups once no process is in them, and resolves then. */
  async end(): Promise<void> {
    await this.made?.catch(() => undefined);
    this.#exceeded = this.exceeded();
    for (let tries = END_TRIES; tries > 0; tries -= 1) {
      const removed = await Promise.all(this.#own.map(isGroupRemoved));
      if (removed.every(Boolean)) break;
      await pause(END_PAUSE_MS);
    }
    for (const host of this.#hosts) host.letGo();
  }

  #make(): Promise<void> | null {
    const held = this.#hosts.map((host) => host.hold());
    const pending = this.#groups.flatMap((group, at) => this.#makeOne(group, held[at] ?? null) ?? []);
    return pending.length === 0 ? null : allMade(pending);
  }

  /**
   * While the kernel holds up a process that enters a group of version 2, everybody who makes or removes a group is
   * held up too, and that must not be this thread. In version 1 it takes microseconds, less than going to another
   * thread.
   */
  #makeOne(group: Group, held: Promise<void> | null): Promise<void> | null {
    const limit = (): void => {
      this.#own.push(group);
      setLimits(group, this.#limits);
    };
    if (held !== null) return held.then(() => mkdir(group.folder)).then(limit);
    try {
      mkdirSync(group.folder);
      limit();
      return null;
    } catch (error) {
      return Promise.reject(error);
    }
  }
}

async function allMade(pending: readonly Promise<void>[]): Promise<void> {
  const tried = await Promise.allSettled(pending);
  const failed = tried.find(({ status }) => status === "rejected") as PromiseRejectedResult | undefined;
  if (failed !== undefined) throw unbounded(failed.reason);
}

function unbounded(cause: unknown): FemtoError {
  const reason = `the control groups that bound a program cannot be made any more (${systemErrorCode(cause) ?? "unknown"})`;
  const fix = "Make the host's control group writable for it, then start the host again.";
  return new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", reason, { fix, cause });
}

/**
 * Lists the processes of a group in both versions; a process number written to it moves all threads of that process.
 */
const MEMBERS = "cgroup.procs";

async function isGroupRemoved({ folder, version }: Group): Promise<boolean> {
  if (version === 1) return isRemoved(folder);
  try {
    await rmdir(folder);
    return true;
  } catch (error) {
    return systemErrorCode(error) === "ENOENT";
  }
}

interface GroupLimit {
  readonly file: string;
  readonly value: number;
  /** A kernel that does not count swapped memory has no such file. */
  readonly isOptional?: boolean;
}

function limitsOf({ version, controllers }: Group, { processes, memoryBytes }: ChildLimits): GroupLimit[] {
  const memory: readonly GroupLimit[] =
    version === 2
      ? [
          { file: "memory.max", value: memoryBytes },
          { file: "memory.swap.max", value: 0, isOptional: true },
        ]
      : [
          { file: "memory.limit_in_bytes", value: memoryBytes },
          { file: "memory.memsw.limit_in_bytes", value: memoryBytes, isOptional: true },
        ];
  return [
    ...(controllers.includes("pids") ? [{ file: "pids.max", value: Math.min(processes, PROCESSES_MAX) }] : []),
    ...(controllers.includes("memory") ? memory : []),
  ];
}

function setLimits(group: Group, limits: ChildLimits): void {
  for (const limit of limitsOf(group, limits)) {
    try {
      writeFileSync(join(group.folder, limit.file), String(limit.value));
    } catch (error) {
      const isMissing = systemErrorCode(error) === "ENOENT" || systemErrorCode(error) === "EACCES";
      if (!isMissing || limit.isOptional !== true) throw error;
    }
    // INVARIANT: I9: a limit counts as set when the kernel says so.
    if (!isSet(group, limit)) throw new Error(`${limit.file} is not what it was set to`);
  }
}

/** The kernel counts memory in whole pages and rounds down. */
function isSet({ folder }: Group, { file, value, isOptional = false }: GroupLimit): boolean {
  const found = textOf(join(folder, file)).trim();
  return found === "" ? isOptional : Number(found) <= value;
}

function exceededOf({ folder, version, controllers }: Group): ToldLimit[] {
  const counted = (file: string, event: string): boolean =>
    new RegExp(`^${event} [1-9]`, "m").test(textOf(join(folder, file)));
  const isEvent = (event: string): boolean => counted("memory.events", event);
  const told: ToldLimit[] = [];
  if (controllers.includes("pids") && counted("pids.events", "max")) told.push("processes");
  // Version 2 also counts a kill if the service or the machine ran out of memory; `oom` counts this group's own limit.
  const isFull = version === 1 ? counted("memory.oom_control", "oom_kill") : ["oom", "oom_kill"].every(isEvent);
  if (controllers.includes("memory") && isFull) told.push("memory_bytes");
  return told;
}
