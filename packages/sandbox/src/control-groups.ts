/**
 * The kernel's own count of what all processes of a child use together: control groups, of version 2 or 1, in
 * whichever group of this process, or above it, the host may make groups of its own.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmdirSync, writeFileSync } from "node:fs";
import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { FemtoError, systemErrorCode } from "@femtoclaw/protocol";
import type { ChildLimits, ToldLimit } from "./child-limits.ts";
import { type Controller, type Hierarchy, hierarchies } from "./group-hierarchies.ts";

/** Without these two a group bounds nothing that could bring the machine down; `cpu` shares what there is fairly. */
const NEEDED: readonly Controller[] = ["pids", "memory"];
/** Processes of a sandbox that are none of its program: bubblewrap outside, and its process 1 inside. */
const OWN_PROCESSES = 2;
/** Time in which the kernel takes leave of processes that were killed, in tries. */
const END_TRIES = 60;
const END_PAUSE_MS = 50;
/** A start waits this often for what a killed host left. */
const LEFTOVER_TRIES = 10;

/** A program that only waits until it is killed. */
interface Waiting {
  readonly program: string;
  readonly args: readonly string[];
}

/** A group that holds the groups of this host's children. */
interface Place {
  readonly folder: string;
  readonly version: 1 | 2;
  readonly controllers: readonly Controller[];
}

export class ControlGroups {
  readonly #places: readonly Place[];
  #count = 0;
  /** Groups of children that are being made, or are there. */
  #living = 0;

  private constructor(places: readonly Place[]) {
    this.#places = places;
  }

  /**
   * Those that this process can make and put processes into; null where it cannot. They are tried with a process that
   * waits for what stands on its stdin: bubblewrap for arguments, or the guard of another rung.
   */
  static async find(
    program: string,
    trial: ChildLimits,
    args: readonly string[] = ["--args", "0"],
  ): Promise<ControlGroups | null> {
    const waiting = { program, args };
    const name = `femtoclaw-${process.pid}-${processNamespace()}-${randomBytes(4).toString("hex")}`;
    const places: Place[] = [];
    for (const hierarchy of hierarchies()) {
      const place = await firstUsable(hierarchy, name, waiting, trial);
      if (place !== null) places.push(place);
    }
    const held = new Set(places.flatMap(({ controllers }) => controllers));
    return NEEDED.every((controller) => held.has(controller)) ? new ControlGroups(places) : null;
  }

  /** For people. */
  get name(): string {
    const versions = [...new Set(this.#places.map(({ version }) => version))].sort();
    return `control groups (version ${versions.join(" and ")})`;
  }

  /** Whether the processor is shared between this host and all of its children, and not between single processes. */
  get sharesProcessor(): boolean {
    return this.#places.some(({ controllers }) => controllers.includes("cpu"));
  }

  /** A group for one child. Rejects with FEMTO_SANDBOX_UNAVAILABLE: a child that has none is not let go. */
  async begin(limits: ChildLimits): Promise<ChildGroup> {
    this.#count += 1;
    this.#living += 1;
    try {
      return await ChildGroup.make(this.#places, String(this.#count), limits, () => this.#gone());
    } catch (error) {
      this.#gone();
      throw unbounded(error);
    }
  }

  /** INVARIANT: nothing is left of a host in which nothing runs, however it ends. */
  #gone(): void {
    this.#living -= 1;
    if (this.#living === 0) for (const { folder } of this.#places) isRemoved(folder);
  }
}

function unbounded(cause: unknown): FemtoError {
  const reason = `the control groups that bound a program cannot be made any more (${systemErrorCode(cause) ?? "unknown"})`;
  const fix = "See to it that the host may write to its control group, and start it again.";
  return new FemtoError("FEMTO_SANDBOX_UNAVAILABLE", reason, { fix, cause });
}

export class ChildGroup {
  readonly #groups: readonly Place[];
  readonly #onGone: () => void;
  #exceeded: readonly ToldLimit[] | null = null;

  private constructor(groups: readonly Place[], onGone: () => void) {
    this.#groups = groups;
    this.#onGone = onGone;
  }

  /** `onGone` is told when nothing is left of it. */
  static async make(
    places: readonly Place[],
    name: string,
    limits: ChildLimits,
    onGone: () => void,
  ): Promise<ChildGroup> {
    const made: Place[] = [];
    const tried = await Promise.allSettled(
      places.map(async (place) => {
        const group = { ...place, folder: join(place.folder, name) };
        await makeHostGroup(place);
        await mkdir(group.folder);
        made.push(group);
        await setLimits(group, limits);
      }),
    );
    const failed = tried.find(({ status }) => status === "rejected") as PromiseRejectedResult | undefined;
    if (failed === undefined) return new ChildGroup(made, onGone);
    for (const { folder } of made) isRemoved(folder);
    throw failed.reason;
  }

  /** Puts a process into it, and all that it will start. Rejects with FEMTO_SANDBOX_UNAVAILABLE. */
  async join(pid: number): Promise<void> {
    try {
      await Promise.all(this.#groups.map(({ folder }) => writeFile(join(folder, "cgroup.procs"), String(pid))));
    } catch (error) {
      throw unbounded(error);
    }
  }

  /** The limits that its processes came up against. */
  exceeded(): readonly ToldLimit[] {
    return this.#exceeded ?? this.#groups.flatMap(exceededOf);
  }

  /** Takes the group away, as soon as no process is in it; resolves then. */
  async end(): Promise<void> {
    this.#exceeded = this.exceeded();
    for (let tries = END_TRIES; tries > 0; tries -= 1) {
      const removed = await Promise.all(this.#groups.map(({ folder }) => isRemovedInTime(folder)));
      if (removed.every(Boolean)) break;
      await pause(END_PAUSE_MS);
    }
    this.#onGone();
  }
}

async function firstUsable(
  hierarchy: Hierarchy,
  name: string,
  waiting: Waiting,
  trial: ChildLimits,
): Promise<Place | null> {
  for (const parent of hierarchy.parents) {
    await removeLeftovers(parent);
    const controllers = hierarchy.version === 1 ? hierarchy.controllers : enabledIn(parent, hierarchy.controllers);
    if (controllers.length === 0) continue;
    const place = { folder: join(parent, name), version: hierarchy.version, controllers };
    if (await isUsable(place, waiting, trial)) return place;
  }
  return null;
}

async function isUsable(place: Place, { program, args }: Waiting, trial: ChildLimits): Promise<boolean> {
  try {
    const group = await ChildGroup.make([place], "0", trial, () => isRemoved(place.folder));
    try {
      // It waits, for what will not come.
      const waiting = spawn(program, args, { env: {}, stdio: ["pipe", "ignore", "ignore"] });
      const ended = once(waiting, "exit");
      if (waiting.pid === undefined) await ended;
      const isJoined = await group.join(waiting.pid ?? 0).then(
        () => true,
        () => false,
      );
      waiting.kill("SIGKILL");
      await ended;
      return isJoined;
    } finally {
      await group.end();
    }
  } catch {
    // For whatever reason; the next place is tried, and in the end `doctor` says that none was found.
    return false;
  }
}

/** Those of the controllers that groups made in this one have; they are switched on where that is possible. */
function enabledIn(group: string, wanted: readonly Controller[]): Controller[] {
  const file = join(group, "cgroup.subtree_control");
  const enabled = (): string[] => textOf(file).split(/\s+/);
  for (const controller of wanted) {
    if (enabled().includes(controller)) continue;
    try {
      if (textOf(join(group, "cgroup.controllers")).split(/\s+/).includes(controller)) {
        moveBelow(group);
        writeFileSync(file, `+${controller}`);
      }
    } catch {
      // Whoever made the group keeps it from us, or other processes are in it.
    }
  }
  const found = enabled();
  const held = wanted.filter((controller) => found.includes(controller));
  return NEEDED.filter((controller) => wanted.includes(controller)).every((controller) => held.includes(controller))
    ? held
    : [];
}

/** A group with processes can have no groups with controllers, so a host that is alone in its own moves into one below. */
function moveBelow(group: string): void {
  if (textOf(join(group, "cgroup.procs")).trim() !== String(process.pid)) return;
  const below = join(group, "femtoclaw-host");
  mkdirSync(below, { recursive: true });
  writeFileSync(join(below, "cgroup.procs"), String(process.pid));
}

async function makeHostGroup({ folder, version, controllers }: Place): Promise<void> {
  await mkdir(folder, { recursive: true });
  if (version === 1) return;
  const file = join(folder, "cgroup.subtree_control");
  const enabled = (await readFile(file, "utf8")).split(/\s+/);
  const missing = controllers.filter((controller) => !enabled.includes(controller));
  if (missing.length > 0) await writeFile(file, missing.map((controller) => `+${controller}`).join(" "));
}

async function setLimits({ folder, version, controllers }: Place, limits: ChildLimits): Promise<void> {
  const set = (file: string, value: number): Promise<void> => writeFile(join(folder, file), String(value));
  if (controllers.includes("pids")) await set("pids.max", limits.processes + OWN_PROCESSES);
  if (!controllers.includes("memory")) return;
  await set(version === 2 ? "memory.max" : "memory.limit_in_bytes", limits.memoryBytes);
  try {
    if (version === 2) await set("memory.swap.max", 0);
    else await set("memory.memsw.limit_in_bytes", limits.memoryBytes);
  } catch (error) {
    // A kernel that does not count what is swapped out has no such file.
    if (systemErrorCode(error) !== "ENOENT" && systemErrorCode(error) !== "EACCES") throw error;
  }
}

function exceededOf({ folder, version, controllers }: Place): ToldLimit[] {
  const counted = (file: string, event: string): boolean =>
    new RegExp(`^${event} [1-9]`, "m").test(textOf(join(folder, file)));
  const told: ToldLimit[] = [];
  if (controllers.includes("pids") && counted("pids.events", "max")) told.push("processes");
  const memory = version === 2 ? "memory.events" : "memory.oom_control";
  if (controllers.includes("memory") && counted(memory, "oom_kill")) told.push("memory_bytes");
  return told;
}

/**
 * What a host left that was killed. A child that it was just starting may have outlived it. Process numbers mean nothing
 * in another namespace, so what a host of another one left is for a host of that one.
 */
async function removeLeftovers(parent: string): Promise<void> {
  const own = new RegExp(`^femtoclaw-(\\d+)-${processNamespace()}-`);
  for (const name of namesIn(parent)) {
    const pid = own.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    const folder = join(parent, name);
    const children = namesIn(folder).filter((found) => /^\d+$/.test(found));
    for (let tries = LEFTOVER_TRIES; tries > 0 && !isRemoved(folder); tries -= 1) {
      for (const child of children) {
        for (const process of textOf(join(folder, child, "cgroup.procs"))
          .split("\n")
          .filter(Boolean))
          end(Number(process));
        isRemoved(join(folder, child));
      }
      await pause(END_PAUSE_MS);
    }
  }
}

const processNamespace = (): string => /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "0";

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself, or is another user's, who sees to it.
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemErrorCode(error) !== "ESRCH";
  }
}

/** INVARIANT: the kernel removes no group that has a process or another group in it, so nothing is lost by trying. */
function isRemoved(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    return systemErrorCode(error) === "ENOENT";
  }
}

/** The same, beside what else this process does: the kernel may take milliseconds for it. */
async function isRemovedInTime(folder: string): Promise<boolean> {
  try {
    await rmdir(folder);
    return true;
  } catch (error) {
    return systemErrorCode(error) === "ENOENT";
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => basename(name));
  } catch {
    return [];
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
