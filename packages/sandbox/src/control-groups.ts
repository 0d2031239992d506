/**
 * The kernel's own count of what all processes of a child use together: control groups, of version 2 or 1, in
 * whichever group of this process, or above it, the host may make groups of its own.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
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
const TRIAL_TIMEOUT_MS = 5_000;

/** Joins the groups that it is given, and becomes the program behind `--`. No text of a call is among its words. */
const JOIN = 'while [ "$1" != -- ]; do echo 0 >"$1/cgroup.procs" || exit 125; shift; done; shift; exec "$@"';

/** A group that holds the groups of this host's children. */
interface Place {
  readonly folder: string;
  readonly version: 1 | 2;
  readonly controllers: readonly Controller[];
}

export class ControlGroups {
  /** The shell that puts a child into its group, outside of the sandbox. */
  readonly shell: string;
  readonly #places: readonly Place[];
  #count = 0;

  private constructor(shell: string, places: readonly Place[]) {
    this.shell = shell;
    this.#places = places;
  }

  /** Those that this process can make and put processes into; null where it cannot. A real process tries them. */
  static async find(shell: string, trial: ChildLimits): Promise<ControlGroups | null> {
    const name = `femtoclaw-${process.pid}-${processNamespace()}-${randomBytes(4).toString("hex")}`;
    const places: Place[] = [];
    for (const hierarchy of hierarchies()) {
      const place = await firstUsable(hierarchy, name, shell, trial);
      if (place !== null) places.push(place);
    }
    const held = new Set(places.flatMap(({ controllers }) => controllers));
    return NEEDED.every((controller) => held.has(controller)) ? new ControlGroups(shell, places) : null;
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

  /** A group for one child. INVARIANT: where it cannot be made any more, the child is not started. */
  begin(limits: ChildLimits): ChildGroup {
    this.#count += 1;
    const name = String(this.#count);
    try {
      return new ChildGroup(this.shell, this.#places, name, limits);
    } catch (error) {
      throw new FemtoError(
        "FEMTO_SANDBOX_UNAVAILABLE",
        `the control groups that bound a program cannot be made any more (${systemErrorCode(error) ?? "unknown"})`,
        { fix: "See to it that the host may write to its control group, and start it again." },
      );
    }
  }
}

export class ChildGroup {
  readonly #shell: string;
  readonly #groups: readonly Place[];
  #exceeded: readonly ToldLimit[] | null = null;

  constructor(shell: string, places: readonly Place[], name: string, limits: ChildLimits) {
    this.#shell = shell;
    const groups: Place[] = [];
    this.#groups = groups;
    try {
      for (const place of places) {
        makeHostGroup(place);
        const group = { ...place, folder: join(place.folder, name) };
        mkdirSync(group.folder);
        groups.push(group);
        setLimits(group, limits);
      }
    } catch (error) {
      this.#remove(0);
      throw error;
    }
  }

  /** The command that joins the group and becomes the program. */
  joining(program: string, args: readonly string[]): readonly [program: string, args: string[]] {
    return [this.#shell, ["-c", JOIN, "sh", ...this.#groups.map(({ folder }) => folder), "--", program, ...args]];
  }

  /** The limits that its processes came up against. */
  exceeded(): readonly ToldLimit[] {
    return this.#exceeded ?? this.#groups.flatMap(exceededOf);
  }

  /** Takes the group away, as soon as no process is in it. */
  end(): void {
    this.#exceeded = this.exceeded();
    this.#remove(END_TRIES);
  }

  #remove(tries: number): void {
    const left = this.#groups.filter(({ folder }) => !isRemoved(folder));
    for (const { folder } of this.#groups) isRemoved(dirname(folder));
    if (left.length > 0 && tries > 0) setTimeout(() => this.#remove(tries - 1), END_PAUSE_MS);
  }
}

async function firstUsable(
  hierarchy: Hierarchy,
  name: string,
  shell: string,
  trial: ChildLimits,
): Promise<Place | null> {
  for (const parent of hierarchy.parents) {
    await removeLeftovers(parent);
    const controllers = hierarchy.version === 1 ? hierarchy.controllers : enabledIn(parent, hierarchy.controllers);
    if (controllers.length === 0) continue;
    const place = { folder: join(parent, name), version: hierarchy.version, controllers };
    if (await isUsable(place, shell, trial)) return place;
  }
  return null;
}

async function isUsable(place: Place, shell: string, trial: ChildLimits): Promise<boolean> {
  try {
    const group = new ChildGroup(shell, [place], "0", trial);
    try {
      const [program, args] = group.joining(shell, ["-c", ":"]);
      await promisify(execFile)(program, args, { env: {}, timeout: TRIAL_TIMEOUT_MS });
      return true;
    } finally {
      group.end();
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

function makeHostGroup({ folder, version, controllers }: Place): void {
  mkdirSync(folder, { recursive: true });
  if (version === 1) return;
  const file = join(folder, "cgroup.subtree_control");
  const missing = controllers.filter((controller) => !textOf(file).split(/\s+/).includes(controller));
  if (missing.length > 0) writeFileSync(file, missing.map((controller) => `+${controller}`).join(" "));
}

function setLimits({ folder, version, controllers }: Place, limits: ChildLimits): void {
  const set = (file: string, value: number): void => writeFileSync(join(folder, file), String(value));
  if (controllers.includes("pids")) set("pids.max", limits.processes + OWN_PROCESSES);
  if (!controllers.includes("memory")) return;
  set(version === 2 ? "memory.max" : "memory.limit_in_bytes", limits.memoryBytes);
  try {
    if (version === 2) set("memory.swap.max", 0);
    else set("memory.memsw.limit_in_bytes", limits.memoryBytes);
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
