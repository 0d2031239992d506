import { describe, expect, it } from "vitest";
import { hierarchiesIn } from "../src/control-groups/group-hierarchies.ts";

const V2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate";
const v1 = (name: string, root = "/") =>
  `39 31 0:36 ${root} /sys/fs/cgroup/${name} rw,relatime - cgroup cgroup rw,${name}`;

describe("hierarchiesIn", () => {
  it("finds the one tree of version 2, and all groups above a service", () => {
    expect(
      hierarchiesIn("0::/system.slice/femtoclaw.service\n", `22 1 8:1 / / rw - ext4 /dev/sda rw\n${V2}\n`),
    ).toEqual([
      {
        version: 2,
        controllers: ["pids", "memory", "cpu"],
        parents: ["/sys/fs/cgroup/system.slice/femtoclaw.service", "/sys/fs/cgroup/system.slice", "/sys/fs/cgroup"],
      },
    ]);
  });

  it("finds the same for a host that has moved into a group of its own", () => {
    const of = (group: string) => hierarchiesIn(`0::${group}\n`, V2);
    expect(of("/system.slice/femtoclaw.service/femtoclaw-host")).toEqual(of("/system.slice/femtoclaw.service"));
  });

  it("finds trees of version 1, each with its own place, beside one of version 2 that has none of the controllers", () => {
    const cgroup = "8:pids:/\n4:memory:/app/1\n2:cpu,cpuacct:/\n0::/\n";
    const mounts = [v1("pids"), v1("memory", "/app"), v1("cpu").replace("rw,cpu", "rw,cpu,cpuacct"), V2].join("\n");
    expect(hierarchiesIn(cgroup, mounts)).toEqual([
      { version: 1, controllers: ["pids"], parents: ["/sys/fs/cgroup/pids"] },
      { version: 1, controllers: ["memory"], parents: ["/sys/fs/cgroup/memory/1", "/sys/fs/cgroup/memory"] },
      { version: 1, controllers: ["cpu"], parents: ["/sys/fs/cgroup/cpu"] },
    ]);
  });

  it.each([
    ["no groups at all", "", ""],
    ["none that is mounted", "0::/\n", "22 1 8:1 / / rw - ext4 /dev/sda rw"],
    ["a group beside what is mounted", "0::/other\n", V2.replace(" / /sys", " /own /sys")],
  ])("finds nothing in %s", (_, cgroup, mounts) => {
    expect(hierarchiesIn(cgroup, mounts).flatMap(({ parents }) => parents)).toEqual([]);
  });
});
