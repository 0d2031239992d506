/**
 * Where this process stands in the kernel's trees of control groups. A machine has one tree, or several of version 1.
 */
import { readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";

const CONTROLLERS = ["pids", "memory", "cpu"] as const;
export type Controller = (typeof CONTROLLERS)[number];
/** The group into which a host moves if it is alone in its own, so that others can be made beside it. */
export const HOST_ALONE = "femtoclaw-host";

export interface Hierarchy {
  readonly version: 1 | 2;
  readonly controllers: readonly Controller[];
  /** The group of this process and those above it, nearest first, as far as they are mounted. */
  readonly parents: readonly string[];
}

interface Mount {
  readonly version: 1 | 2;
  /** The group that stands at the mount's own path. */
  readonly root: string;
  readonly point: string;
  readonly options: readonly string[];
}

interface Membership {
  /** Empty in version 2. */
  readonly controllers: readonly string[];
  readonly group: string;
}

export function hierarchies(): Hierarchy[] {
  return hierarchiesIn(textOf("/proc/self/cgroup"), textOf("/proc/self/mountinfo"));
}

/** Pure: takes the texts of a process's two files. */
export function hierarchiesIn(cgroup: string, mountinfo: string): Hierarchy[] {
  const mounts = mountinfo.split("\n").flatMap(mountOf);
  const found = new Map<string, { version: 1 | 2; controllers: Controller[]; parents: string[] }>();
  const memberships = cgroup.split("\n").flatMap(membershipOf);
  for (const controller of CONTROLLERS) {
    const own = memberships.find(({ controllers }) => controllers.includes(controller));
    const membership = own ?? memberships.find(({ controllers }) => controllers.length === 0);
    const mount = mounts.find(({ version, options }) =>
      own === undefined ? version === 2 : version === 1 && options.includes(controller),
    );
    if (membership === undefined || mount === undefined) continue;
    const parents = parentsIn(mount, membership.group);
    const hierarchy = found.get(mount.point) ?? { version: mount.version, controllers: [], parents };
    hierarchy.controllers.push(controller);
    found.set(mount.point, hierarchy);
  }
  return [...found.values()];
}

function parentsIn({ root, point }: Mount, group: string): string[] {
  const below = relative(root, group);
  // A group beside the mounted one is out of reach.
  if (below.startsWith("..")) return [];
  const parts = below === "" ? [] : below.split("/");
  return Array.from({ length: parts.length + 1 }, (_, up) => join(point, ...parts.slice(0, parts.length - up)));
}

/** A line such as `9:pids:/docker/1` or `0::/user.slice`. */
function membershipOf(line: string): Membership[] {
  const [, controllers, group] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
  if (controllers === undefined || group === undefined) return [];
  // A host that looks again, as at each reload, is already in that group and would move one deeper each time.
  const own = basename(group) === HOST_ALONE ? dirname(group) : group;
  return [{ controllers: controllers === "" ? [] : controllers.split(","), group: own }];
}

/** A line such as `39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids`. */
function mountOf(line: string): Mount[] {
  const [before = "", after = ""] = line.split(" - ");
  const [type, , options = ""] = after.split(" ");
  const [, , , root, point] = before.split(" ");
  if ((type !== "cgroup" && type !== "cgroup2") || root === undefined || point === undefined) return [];
  return [{ version: type === "cgroup" ? 1 : 2, root, point, options: options.split(",") }];
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // A system without them has no control groups.
    return "";
  }
}
