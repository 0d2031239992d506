/** What uses more of the machine than it may: it is held, it is told by what, and nothing of it is left. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { boundsBy } from "../src/control-groups/bounds.ts";
import { ControlGroups } from "../src/control-groups/control-groups.ts";
import { type ChildLimits, DEFAULT_CHILD_LIMITS, type SandboxResult, viewOf } from "../src/index.ts";
import { playground, run } from "./playground.ts";

const groups = await ControlGroups.find("/bin/sh", DEFAULT_CHILD_LIMITS);
const isRoot = process.getuid?.() === 0;
const MIB = 1_048_576;
const SMALL: ChildLimits = {
  memoryBytes: 96 * MIB,
  processes: 32,
  cpuMs: 1_000,
  fileBytes: MIB,
  openFiles: 64,
  temporaryBytes: 2 * MIB,
};

async function attack(
  [name, ...args]: readonly [string, ...string[]],
  more: { readonly limits?: Partial<ChildLimits>; readonly timeoutMs?: number } = {},
): Promise<SandboxResult> {
  using place = playground();
  const view = viewOf(place.authority, undefined, undefined, groups);
  const timeoutMs = more.timeoutMs ?? 20_000;
  return await run(place, [name, ...args], { view, timeoutMs, limits: { ...SMALL, ...more.limits } });
}

const perl = (code: string): [string, ...string[]] => ["perl", "-MPOSIX", "-e", code];
/** Forks until it is refused, keeps all of them, and says how many they were. */
const FORKS = "while (1) { my $p = fork; last unless defined $p; $p ? $n++ : do { sleep 60; exit } } print $n";
const marked = (mark: string): boolean =>
  readdirSync("/proc").some((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(mark);
    } catch {
      return false;
    }
  });

describe.runIf(groups !== null || !isRoot)("a program that takes what it can get", () => {
  it("gets no more processes than its limit, and all of them end with it", async () => {
    const mark = `mark-${process.pid}-forks`;
    const ran = await attack(["perl", "-e", FORKS, mark]);
    expect(Number(ran.stdout)).toBeGreaterThan(SMALL.processes - 6);
    expect(Number(ran.stdout)).toBeLessThanOrEqual(SMALL.processes);
    if (groups !== null) expect(ran.exceeded).toEqual(["processes"]);
    await expect.poll(() => marked(mark)).toBe(false);
  });

  it("starts under the largest and the smallest limits that an operator may set", async () => {
    for (const [memoryBytes, processes, cpuMs, fileBytes, openFiles, temporaryBytes] of [
      [Number.MAX_SAFE_INTEGER, 4_194_304, 604_800_000, Number.MAX_SAFE_INTEGER, 1_048_576, Number.MAX_SAFE_INTEGER],
      [16 * MIB, 8, 1_000, 1, 16, MIB],
    ] as const) {
      const limits = { memoryBytes, processes, cpuMs, fileBytes, openFiles, temporaryBytes };
      const ran = await attack(["echo", "here"], { limits });
      expect([ran.stdout.toString(), ran.exitCode, ran.exceeded]).toEqual(["here\n", 0, []]);
    }
  });

  it("forks without an end in sessions of their own, and is ended as a whole", async () => {
    const mark = `mark-${process.pid}-sessions`;
    const bomb = "while (1) { my $p = fork; POSIX::setsid() if defined $p && !$p }";
    const ran = await attack(["perl", "-MPOSIX", "-e", bomb, mark], { timeoutMs: 400 });
    expect(ran).toMatchObject({ timedOut: true, exceeded: groups === null ? [] : ["processes"] });
    await expect.poll(() => marked(mark)).toBe(false);
  });

  it("gets no more threads than processes", async () => {
    const threads = "const { Worker } = require('node:worker_threads')";
    const code = `${threads}; for (let i = 0; i < 99; i++) new Worker('setInterval(() => {}, 1e6)', { eval: true }).on('error', () => process.exit(9))`;
    using place = playground(() => ({ searchPath: [dirname(process.execPath), "/usr/bin", "/bin"] }));
    const authority = { ...place.authority, childRead: [dirname(process.execPath)] };
    const view = viewOf(authority, undefined, undefined, groups);
    const command = {
      program: process.execPath,
      realPath: process.execPath,
      args: ["-e", code],
      cwd: place.workspace,
      environment: {},
    };
    const ran = await run(place, [], { view, command, limits: { ...DEFAULT_CHILD_LIMITS, processes: 32 } });
    expect(ran.timedOut).toBe(false);
    expect(ran.exitCode).not.toBe(0);
  });

  it("fills no memory", async () => {
    const ran = await attack(perl("$x .= 'x' x 1e6 while 1"));
    expect(ran.exitCode).not.toBe(0);
    if (groups !== null) expect(ran).toMatchObject({ exitCode: 137, signal: "SIGKILL", exceeded: ["memory_bytes"] });
  });

  it.runIf(groups !== null)("fills no memory with many processes that are small each", async () => {
    const hogs = "for (1 .. 12) { fork or do { $x = 'x' x 2e7; sleep 60; exit } } wait; print 'one was killed'";
    expect(await attack(perl(hogs))).toMatchObject({ exceeded: expect.arrayContaining(["memory_bytes"]) });
  });

  it("fills no memory with files, wherever it may write", async () => {
    const fill = "for d in / /tmp /dev /dev/shm /run /var/tmp /proc; do head -c 200000000 /dev/zero >$d/fill; done";
    const ran = await attack(["sh", "-c", `${fill} 2>/dev/null; du -sk / --exclude=/proc --exclude=/usr 2>/dev/null`], {
      limits: { fileBytes: 300 * MIB, memoryBytes: 512 * MIB },
    });
    const [kib = ""] = ran.stdout.toString().split("\t");
    expect(Number(kib)).toBeGreaterThan(60 * 1_024);
    expect(Number(kib)).toBeLessThan(80 * 1_024);
  });

  it("writes no larger file, opens no more files and leaves no core", async () => {
    const file = await attack(perl("open F, '>', 'out/large'; syswrite F, 'x' x 65536 while 1"));
    expect(file).toMatchObject({ exitCode: 153, signal: "SIGXFSZ", exceeded: ["file_bytes"] });
    const files = await attack(perl("while (open my $f, '<', '/dev/null') { push @f, $f } print 3 + @f"));
    expect(Number(files.stdout)).toBe(SMALL.openFiles);
    const core = await attack(["sh", "-c", "cd out; ulimit -c unlimited; sh -c 'kill -SEGV $$'; ls"]);
    expect(core.stdout.toString()).toBe("");
  });

  it("uses no more processor time, also where it does not listen", async () => {
    const spins = await attack(perl("1 while 1"));
    expect(spins).toMatchObject({ exitCode: 152, signal: "SIGXCPU", exceeded: ["cpu_ms"], timedOut: false });
  });

  it("cannot raise a limit again", async () => {
    const raise = "ulimit -n 9999; ulimit -f unlimited; prlimit --pid $$ --nofile=9999:9999; ulimit -n; ulimit -f";
    const ran = await attack(["sh", "-c", `(${raise}) 2>/dev/null; prlimit --nofile -o HARD --noheadings`]);
    expect(ran.stdout.toString()).toMatch(/64\s*$/);
    expect(ran.stdout.toString()).not.toContain("9999");
  });
});

describe("limits of a process", () => {
  it("stay below what the host itself may have", async () => {
    using place = playground();
    const ran = await run(place, ["sh", "-c", "ulimit -n"], {
      limits: { ...DEFAULT_CHILD_LIMITS, openFiles: 900_000_000 },
    });
    const own = Number(/^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1]);
    expect(Number(ran.stdout)).toBe(Math.min(own, 900_000_000));
  });
});

const folders = (): string[] => inGroups(process.pid);
const inGroups = (pid: number | undefined): string[] =>
  ["pids", "memory", "cpu", "unified", "."].flatMap((name) => {
    try {
      const found = execFileSync("find", [join("/sys/fs/cgroup", name), "-name", `femtoclaw-${pid}-*`]);
      return found.toString().trim().split("\n").filter(Boolean);
    } catch {
      return [];
    }
  });

describe.runIf(groups !== null)("control groups", () => {
  it("are gone with their child, however it ends", async () => {
    const hangs = attack(["sleep", "60"], { timeoutMs: 300 });
    await expect.poll(() => folders().length).toBeGreaterThan(0);
    expect((await hangs).timedOut).toBe(true);
    await expect.poll(() => folders()).toEqual([]);
  });

  it("that a killed host left are taken away by the next one, with what is in them", async () => {
    const files = ["../src/control-groups/control-groups.ts", "../src/children/child-limits.ts"];
    const [groupsFile, limitsFile] = files.map((file) => JSON.stringify(join(import.meta.dirname, file)));
    const code = `
      const { ControlGroups } = await import(${groupsFile});
      const { DEFAULT_CHILD_LIMITS } = await import(${limitsFile});
      const { spawn } = await import("node:child_process");
      const groups = await ControlGroups.find("/bin/sh", DEFAULT_CHILD_LIMITS);
      const group = groups.begin(DEFAULT_CHILD_LIMITS);
      await group.made;
      const { program, args } = group.joining(["sleep", "600"]);
      const stdio = ["ignore", "ignore", "ignore", "ignore", "pipe", "pipe"];
      const child = spawn(program, args, { detached: true, stdio });
      child.stdio[5].write("\\n0\\n");
      child.stdio[4].once("data", () => process.stdout.write(String(child.pid)));
      setInterval(() => undefined, 1_000);`;
    const host = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
    const [said] = (await once(host.stdout, "data")) as [Buffer];
    const isThere = (): boolean => existsSync(`/proc/${said.toString()}/cmdline`) && inGroups(host.pid).length > 0;
    await expect.poll(isThere).toBe(true);
    host.kill("SIGKILL");
    await once(host, "exit");
    expect(isThere()).toBe(true);
    expect(await ControlGroups.find("/bin/sh", DEFAULT_CHILD_LIMITS)).not.toBeNull();
    expect(inGroups(host.pid)).toEqual([]);
    await expect.poll(isThere).toBe(false);
  });

  it("that cannot be made keep the program from being started", async () => {
    const hangs = attack(["sleep", "60"], { timeoutMs: 1_000 });
    const numbers = (host: string): string[] => readdirSync(host).filter((name) => /^\d+$/.test(name));
    await expect.poll(() => folders().flatMap(numbers).length).toBeGreaterThan(0);
    const host = folders().find((folder) => numbers(folder).length > 0) ?? "";
    const [number = ""] = numbers(host);
    // What the next child would get is there already.
    const taken = join(host, String(Number(number) + 1));
    mkdirSync(taken);
    try {
      await expect(attack(["touch", "out/ran"])).rejects.toMatchObject({
        code: "FEMTO_SANDBOX_UNAVAILABLE",
        message: expect.stringContaining("control groups"),
      });
    } finally {
      rmdirSync(taken);
      await hangs;
    }
  });

  it("that are still being made when the host is killed keep the program from being started", async () => {
    using place = playground();
    const modules = ["../src/index.ts", "./playground.ts"].map((path) =>
      JSON.stringify(join(import.meta.dirname, path)),
    );
    const code = `
      const [{ viewOf }, { run }] = await Promise.all([${modules.map((path) => `import(${path})`).join(", ")}]);
      const place = JSON.parse(process.argv[1]);
      const joining = ([program, ...args]) => ({ program, args });
      const groups = { begin: () => ({ made: new Promise(() => undefined), joining }) };
      void run(place, ["touch", "out/ran"], { view: { ...viewOf(place.authority), groups } });
      setInterval(() => process.stdout.write("."), 100);`;
    const args = ["--input-type=module", "-e", code, JSON.stringify(place)];
    const host = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const waiting = (): boolean => marked(`touch\0out/ran`);
    await once(host.stdout, "data");
    await expect.poll(waiting).toBe(true);
    host.kill("SIGKILL");
    await once(host, "exit");
    await expect.poll(waiting).toBe(false);
    expect(readdirSync(place.out)).toEqual([]);
  });

  it("that cannot be joined keep the program from being started", async () => {
    using place = playground();
    const begin = (limits: ChildLimits) => {
      const group = groups?.begin(limits);
      const made = Promise.resolve(group?.made).then(() => group?.end());
      return { made, joining: group?.joining.bind(group), end: async () => undefined, exceeded: () => [] };
    };
    const view = { ...viewOf(place.authority), groups: { begin } as unknown as ControlGroups };
    await expect(run(place, ["touch", "out/ran"], { view })).rejects.toMatchObject({
      code: "FEMTO_SANDBOX_UNAVAILABLE",
      message: expect.stringMatching(/did not start the program: .*femtoclaw-/),
    });
    expect(readdirSync(place.out)).toEqual([]);
  });
});

describe("where no control group counts", () => {
  it("is said what nothing bounds", () => {
    expect(boundsBy(null, false)).toMatchObject({
      wholly: false,
      lacks: [expect.stringContaining("memory"), expect.stringContaining("can share"), expect.anything()],
    });
    expect(boundsBy(null, false, "landlock").lacks).toContainEqual(expect.stringContaining("can share"));
    expect(boundsBy(null, true).lacks[0]).toContain("number of a child's processes");
  });
});
