/** Calls for which children wait, and the groups of control that these wait in. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { ControlGroups } from "../src/control-groups/control-groups.ts";
import { type ChildLimits, DEFAULT_CHILD_LIMITS, type SandboxResult, type SandboxView, viewOf } from "../src/index.ts";
import { type Playground, playground, run } from "./playground.ts";

export const groups = await ControlGroups.find("/bin/sh", DEFAULT_CHILD_LIMITS);

/** Folders of the groups of a host, by their numbers, in the hierarchies where it has some. */
export function groupsOf(host: number | undefined): string[] {
  const found = ["pids", "memory", "cpu", "unified", "."].flatMap((hierarchy) => {
    try {
      const args = [join("/sys/fs/cgroup", hierarchy), "-path", `*/femtoclaw-${host}-*/*`, "-type", "d"];
      return execFileSync("find", args).toString().trim().split("\n").filter(Boolean);
    } catch {
      return [];
    }
  });
  return [...new Set(found)];
}

const membersOf = (group: string): number[] =>
  readFileSync(join(group, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);

/** Whether it is a shell that has entered all groups and waits. */
function isWaiting(pid: number): boolean {
  try {
    return /^\d+ \(sh\) [ST]/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** Those that wait, by how many groups each is in: it has entered when it is in as many as there are hierarchies. */
export function waitingOf(host: number | undefined): number[] {
  const members = groupsOf(host).flatMap(membersOf).filter(isWaiting);
  const hierarchies = new Set(groupsOf(host).map((group) => group.split(`/femtoclaw-${host}-`)[0])).size;
  return [...new Set(members)].filter((pid) => members.filter((other) => other === pid).length === hierarchies);
}

/** The group that counts the processes of this one. */
export const groupOf = (pid: number): string =>
  groupsOf(process.pid).find((group) => existsSync(join(group, "pids.max")) && membersOf(group).includes(pid)) ?? "";

/** Numbers of the children of this process that have become bubblewrap. */
export function confining(): number[] {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim().split(" ").map(Number);
  return children.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/comm`, "utf8") === "bwrap\n";
    } catch {
      return false;
    }
  });
}

export const strangers: ChildProcess[] = [];
export function stranger(): ChildProcess {
  const child = spawn("sleep", ["600"], { stdio: "ignore" });
  strangers.push(child);
  return child;
}

export interface Usual extends AsyncDisposable {
  readonly place: Playground;
  readonly view: SandboxView;
  call(args: readonly string[], ownLimits?: ChildLimits): Promise<SandboxResult>;
  /** Calls a program that runs for a moment, and gives the number of the child that it runs in. */
  ranIn(ownLimits?: ChildLimits): Promise<number>;
  /** Calls a program, and gives the numbers of the children that wait for the next one. */
  waiting(): Promise<readonly number[]>;
}

/** Where calls are made of which more are to be expected; nothing of its groups is left in the end. */
export async function usual(limits: ChildLimits = DEFAULT_CHILD_LIMITS): Promise<Usual> {
  const place = playground();
  const own = await ControlGroups.find("/bin/sh", limits);
  const view = viewOf(place.authority, undefined, undefined, own);
  const call: Usual["call"] = (args, ownLimits = limits) =>
    run(place, [...args], { view, limits: ownLimits, timeoutMs: 20_000, isUsual: true });
  const ranIn: Usual["ranIn"] = async (ownLimits) => {
    const calling = call(["sh", "-c", "until [ -e out/seen ]; do sleep 0.05; done; rm out/seen; echo ran"], ownLimits);
    await expect.poll(confining).toHaveLength(1);
    const [pid = 0] = confining();
    writeFileSync(join(place.out, "seen"), "");
    expect(await calling).toMatchObject({ exitCode: 0, exceeded: [] });
    return pid;
  };
  const waiting = async (): Promise<readonly number[]> => {
    await call(["true"]);
    await expect.poll(() => waitingOf(process.pid)).not.toEqual([]);
    return waitingOf(process.pid);
  };
  const end = async (): Promise<void> => {
    await own?.waiting.end();
    await expect.poll(() => groupsOf(process.pid)).toEqual([]);
    place[Symbol.dispose]();
  };
  return { place, view, call, ranIn, waiting, [Symbol.asyncDispose]: end };
}

export const isThere = (pid: number): boolean => existsSync(`/proc/${pid}`);
