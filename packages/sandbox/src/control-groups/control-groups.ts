/**
 * The kernel's count of what all processes of a child use together: control groups of version 2 or 1. They are made
 * within the group of this process, or the nearest one above it in which the host may make groups.
 */
import type { IOType } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Writable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { systemErrorCode } from "@femtoclaw/protocol";
import { spawnProcess } from "#spawn-process";
import { BEGIN_DESCRIPTOR } from "../bubblewrap.ts";
import type { ChildLimits } from "../children/child-limits.ts";
import { requireStreams } from "../children/confined-child.ts";
import { ChildGroup, END_PAUSE_MS } from "./child-group.ts";
import { type Controller, type Hierarchy, HOST_ALONE, hierarchies } from "./group-hierarchies.ts";
import { HostGroup, isRemoved, textOf } from "./host-group.ts";
import { MADE, toldWords } from "./joining.ts";
import { WaitingChildren } from "./waiting-children.ts";

/** Without these two a group does not protect the machine; `cpu` only shares the processor fairly. */
const NEEDED: readonly Controller[] = ["pids", "memory"];
/** LIMIT: times that a start waits for what a killed host left. */
const LEFTOVER_TRIES = 10;

export class ControlGroups {
  readonly #places: readonly HostGroup[];
  readonly #shell: string;
  /** Children that wait in groups of this host until they are needed. */
  readonly waiting = new WaitingChildren();
  #count = 0;

  private constructor(places: readonly HostGroup[], shell: string) {
    this.#places = places;
    this.#shell = shell;
  }

  /** Groups that this process can make and a shell of the system can join; null if there are none. */
  static async find(shell: string, trial: ChildLimits): Promise<ControlGroups | null> {
    const name = `femtoclaw-${process.pid}-${processNamespace()}-${randomBytes(4).toString("hex")}`;
    const found = await Promise.all(hierarchies().map((hierarchy) => firstUsable(hierarchy, name, shell, trial)));
    const places = found.filter((place) => place !== null);
    const held = new Set(places.flatMap(({ group }) => group.controllers));
    return NEEDED.every((controller) => held.has(controller)) ? new ControlGroups(places, shell) : null;
  }

  /** For people. */
  get name(): string {
    const versions = [...new Set(this.#places.map(({ group }) => group.version))].sort();
    return `control groups (version ${versions.join(" and ")})`;
  }

  /** Whether the processor is shared fairly among this host and its children rather than among single processes. */
  get sharesProcessor(): boolean {
    return this.#places.some(({ group }) => group.controllers.includes("cpu"));
  }

  /** A group for one child. The child must not be released before `made` has resolved. */
  begin(limits: ChildLimits): ChildGroup {
    this.#count += 1;
    return new ChildGroup(this.#places, String(this.#count), this.#shell, limits);
  }
}

async function firstUsable(
  hierarchy: Hierarchy,
  name: string,
  shell: string,
  trial: ChildLimits,
): Promise<HostGroup | null> {
  for (const parent of hierarchy.parents) {
    await removeLeftovers(parent);
    const controllers = hierarchy.version === 1 ? hierarchy.controllers : enabledIn(parent, hierarchy.controllers);
    if (controllers.length === 0) continue;
    const place = new HostGroup({ folder: join(parent, name), version: hierarchy.version, controllers });
    if (await isUsable(place, shell, trial)) return place;
  }
  return null;
}

async function isUsable(place: HostGroup, shell: string, trial: ChildLimits): Promise<boolean> {
  try {
    const group = new ChildGroup([place], "0", shell, trial);
    try {
      await group.made;
      // The command to run in the group does nothing.
      const { program, args } = group.joining([shell, "-c", ":"]);
      const stdio: IOType[] = Array.from({ length: BEGIN_DESCRIPTOR + 1 }, (_, at) =>
        at < BEGIN_DESCRIPTOR ? "ignore" : "pipe",
      );
      const trying = spawnProcess({ program, args, detached: false, stdio });
      requireStreams(trying);
      const ended = once(trying, "exit");
      const begin = trying.stdio.at(BEGIN_DESCRIPTOR) as Writable | undefined;
      begin?.on("error", () => undefined).end(MADE + toldWords([]));
      const [code] = await ended;
      return code === 0;
    } finally {
      await group.end();
    }
  } catch {
    // The reason does not matter: the next place is tried, and if none is found, `doctor` says so.
    return false;
  }
}

/** The controllers that groups within this one will have, switched on if possible. */
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
      // The maker of the group denies us this, or other processes are in it.
    }
  }
  const found = enabled();
  const held = wanted.filter((controller) => found.includes(controller));
  return NEEDED.filter((controller) => wanted.includes(controller)).every((controller) => held.includes(controller))
    ? held
    : [];
}

/**
 * A group that has processes cannot give controllers to groups within it, so a host alone in its group moves one down.
 */
function moveBelow(group: string): void {
  if (textOf(join(group, "cgroup.procs")).trim() !== String(process.pid)) return;
  const below = join(group, HOST_ALONE);
  mkdirSync(below, { recursive: true });
  writeFileSync(join(below, "cgroup.procs"), String(process.pid));
}

/**
 * Removes the groups of a host that was killed, and kills a child that it was just starting. Process numbers mean
 * nothing in another process namespace, so each host cleans up after hosts of its own namespace only.
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
    // It has ended by itself, or belongs to another user, whose business it is.
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemErrorCode(error) !== "ESRCH";
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => basename(name));
  } catch {
    return [];
  }
}
