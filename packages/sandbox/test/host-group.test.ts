/** The group of a host in version 2, in a folder that looks like one, so that its moments can be held on to. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ChildGroup } from "../src/control-groups/child-group.ts";
import { HostGroup } from "../src/control-groups/host-group.ts";
import { DEFAULT_CHILD_LIMITS } from "../src/index.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "femtoclaw-group-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const child = (host: HostGroup, name: string) => new ChildGroup([host], name, "/bin/sh", DEFAULT_CHILD_LIMITS);
const children = () => readdirSync(folder).filter((name) => !name.startsWith("cgroup."));

describe("the group of a host", () => {
  it("has given its controllers before a group is made in it, also for a child that comes meanwhile", async () => {
    const control = join(folder, "cgroup.subtree_control");
    // Who reads it waits until somebody writes: the moment in which the group is there, and has no controllers to give.
    execFileSync("mkfifo", [control]);
    const host = new HostGroup({ folder, version: 2, controllers: ["pids", "memory"] });
    const groups = [child(host, "1"), child(host, "2")];
    await pause(100);
    expect(children()).toEqual([]);
    await writeFile(control, "pids memory");
    await Promise.all(groups.map(({ made }) => made));
    expect(children()).toEqual(["1", "2"]);
    expect(readFileSync(join(folder, "2", "memory.max"), "utf8")).toBe(String(DEFAULT_CHILD_LIMITS.memoryBytes));
  });

  it("is made anew for a child that comes when nothing was left in it", async () => {
    const control = join(folder, "cgroup.subtree_control");
    const host = new HostGroup({ folder, version: 2, controllers: ["pids", "memory"] });
    for (const given of ["cpu\n", ""]) {
      writeFileSync(control, given);
      await host.hold();
      expect(readFileSync(control, "utf8")).toBe("+pids +memory");
      host.letGo();
    }
  });

  it.each([1, 2] as const)(
    "keeps a child from being started where it cannot be made, in version %s",
    async (version) => {
      const host = new HostGroup({ folder: "/proc/none", version, controllers: ["pids"] });
      await expect(child(host, "1").made).rejects.toMatchObject({ code: "FEMTO_SANDBOX_UNAVAILABLE" });
    },
  );
});

describe("the limits that a child came up against", () => {
  it.each([
    ["its own", "oom 1\noom_kill 1\n", ["memory_bytes"]],
    ["that of the whole service, or of the machine", "oom 0\noom_kill 1\n", []],
    ["one that it got by with", "oom 1\noom_kill 0\n", []],
  ])("are told of memory: %s", async (_, events, told) => {
    writeFileSync(join(folder, "cgroup.subtree_control"), "memory");
    const group = child(new HostGroup({ folder, version: 2, controllers: ["memory"] }), "1");
    await group.made;
    writeFileSync(join(folder, "1", "memory.events"), `low 0\nhigh 0\nmax 7\n${events}oom_group_kill 0\n`);
    expect(group.exceeded()).toEqual(told);
  });
});
