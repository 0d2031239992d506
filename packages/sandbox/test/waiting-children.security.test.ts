/** Children that wait for a call: whoever meddles with one gains nothing, and nothing of it is left. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ControlGroups } from "../src/control-groups/control-groups.ts";
import { canBeTold, joiningArguments, toldWords } from "../src/control-groups/joining.ts";
import { DEFAULT_CHILD_LIMITS, type SandboxResult, viewOf } from "../src/index.ts";
import { playground, run } from "./playground.ts";
import { groupOf, groups, groupsOf, isThere, stranger, strangers, usual, waitingOf } from "./waiting-fixture.ts";

const MIB = 1_048_576;

describe("the shell in front of a child", () => {
  const told = async (
    input: string,
    command = ["/bin/echo", "ran"],
    files: readonly string[] = [],
  ): Promise<{ code: number; said: string }> => {
    const stdio = ["ignore", "pipe", "ignore", "ignore", "ignore", "pipe"] as const;
    const shell = spawn("/bin/sh", joiningArguments(files, command), { env: {}, stdio: [...stdio] });
    const ended = once(shell, "close");
    for (const stream of shell.stdio) stream?.on("error", () => undefined);
    const said = text(shell.stdout as NodeJS.ReadableStream);
    (shell.stdio as unknown as NodeJS.WritableStream[])[5]?.end(input);
    const [code] = await ended;
    return { code, said: await said };
  };

  it("ends where whoever started it has ended, whatever it was told before", async () => {
    const cut = ["", "\n", "\n1", "\n1\n", "\n2\nword\n", "\n2\nword\nhalf"];
    const ends = await Promise.all(cut.map((input) => told(input)));
    for (const { code, said } of ends) expect({ code, said }).toEqual({ code: 1, said: "" });
    expect(await told(`\n${toldWords(["after"])}`)).toEqual({ code: 0, said: "ran after\n" });
  });

  it("ends where a group does not take it", async () => {
    expect(await told(`\n${toldWords([])}`, ["/bin/echo", "ran"], ["/nonexistent/tasks"])).toMatchObject({ said: "" });
  });

  it("hands on each word that it can be told as it is", async () => {
    const ascii = Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at)).join("");
    const words = ["", " ", "  a  b ", "$(id)", "`id`", "'", '"', "\\", "\\n", "-n", "--", "*", "~", "", ascii];
    expect(canBeTold(words)).toBe(true);
    const perl = ["/usr/bin/perl", "-e", 'print join "\\0", @ARGV', "--"];
    expect((await told(`\n${toldWords(words)}`, perl)).said.split("\0")).toEqual(words);
    for (const word of ["a\nb", "\t", "é", "\x7f", "x".repeat(4_096)]) expect(canBeTold([word])).toBe(false);
  });
});

describe("a sandbox", () => {
  it("starts no program before it was told the filter, so that none begins after its host", async () => {
    using place = playground();
    const view = { ...viewOf(place.authority, undefined, undefined, groups), filter: Buffer.alloc(0) };
    await expect(run(place, ["touch", "out/ran"], { view })).rejects.toMatchObject({
      code: "FEMTO_SANDBOX_UNAVAILABLE",
    });
    expect(readdirSync(place.out)).toEqual([]);
  });
});

describe.runIf(groups !== null)("a child that waits", () => {
  it("is that of one call, and what it cannot be told goes another way", async () => {
    await using place = await usual();
    const waited = await place.waiting();
    const print = async (words: readonly string[]): Promise<string[]> => {
      const ran = await place.call(["perl", "-e", 'print join "\\0", @ARGV', "--", ...words]);
      return ran.stdout.toString().split("\0");
    };
    const odd = ["", " a ", "$(id)", "'\"", "\\"];
    expect(await print(odd)).toEqual(odd);
    await expect.poll(() => waited.every(isThere)).toBe(false);
    const others = ["two\nlines", "tab\t", "é", "\u{1f600}"];
    expect(await print(others)).toEqual(others);
  });

  it("is for calls that are started with the same, and for no other", async () => {
    await using place = await usual();
    const waited = await place.waiting();
    expect(waited).not.toContain(await place.ranIn({ ...DEFAULT_CHILD_LIMITS, processes: 7 }));
    const again = await place.waiting();
    expect(again).toContain(await place.ranIn());
  });

  it("holds its call to the limits of the call", async () => {
    const small = { memoryBytes: 96 * MIB, processes: 32, cpuMs: 1_000, fileBytes: MIB, openFiles: 64 };
    await using place = await usual({ ...small, temporaryBytes: 2 * MIB });
    const attack = async (code: string): Promise<SandboxResult> => {
      const waited = await place.waiting();
      const ran = await place.call(["perl", "-e", code]);
      // It was one of those that waited.
      await expect.poll(() => waited.every(isThere)).toBe(false);
      return ran;
    };
    const forks = await attack(
      "while (1) { my $p = fork; last unless defined $p; $p ? $n++ : do { sleep 60; exit } } print $n",
    );
    expect(Number(forks.stdout)).toBeLessThanOrEqual(small.processes);
    expect(forks.exceeded).toEqual(["processes"]);
    expect(await attack("$x .= 'x' x 1e6 while 1")).toMatchObject({ exitCode: 137, exceeded: ["memory_bytes"] });
    const file = await attack("open F, '>', '/tmp/large'; syswrite F, 'x' x 65536 while 1");
    expect(file).toMatchObject({ signal: "SIGXFSZ", exceeded: ["file_bytes"] });
    const files = await attack("while (open my $f, '<', '/dev/null') { push @f, $f } print 3 + @f");
    expect(Number(files.stdout)).toBe(small.openFiles);
    expect(await attack("1 while 1")).toMatchObject({ signal: "SIGXCPU", exceeded: ["cpu_ms"] });
  });

  const meddlings: readonly [how: string, meddle: (pid: number) => void][] = [
    ["is killed", (pid) => process.kill(pid, "SIGKILL")],
    ["is stopped", (pid) => process.kill(pid, "SIGSTOP")],
    ["is taken out of a group", (pid) => writeFileSync(`${dirname(dirname(groupOf(pid)))}/cgroup.procs`, String(pid))],
    ["loses a limit", (pid) => writeFileSync(`${groupOf(pid)}/pids.max`, "max")],
    ["gets company", (pid) => writeFileSync(`${groupOf(pid)}/cgroup.procs`, String(stranger().pid))],
  ];
  for (const [how, meddle] of meddlings) {
    it(`and ${how} is replaced`, async () => {
      await using place = await usual();
      const waited = await place.waiting();
      for (const pid of waited) meddle(pid);
      expect(waited).not.toContain(await place.ranIn());
      await expect.poll(() => waited.some(isThere)).toBe(false);
      for (const child of strangers.splice(0)) child.kill("SIGKILL");
    });
  }

  it("is taken by one of a hundred calls at once, and each has its own answer", async () => {
    await using place = await usual();
    await place.waiting();
    const numbers = Array.from({ length: 100 }, (_, number) => String(number));
    const ran = await Promise.all(numbers.map((number) => place.call(["echo", number])));
    expect(ran.map(({ stdout }) => stdout.toString().trim())).toEqual(numbers);
    expect(waitingOf(process.pid).length).toBeLessThanOrEqual(2);
  });

  it("is gone when nothing was asked for a while", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    await using place = await usual();
    const waited = await vi.waitFor(place.waiting);
    vi.advanceTimersByTime(10_000);
    vi.useRealTimers();
    await expect.poll(() => waited.some(isThere)).toBe(false);
    await expect.poll(() => groupsOf(process.pid)).toEqual([]);
  });

  it("ends with a host that is killed, and the next one takes its groups away", async () => {
    const modules = ["../src/index.ts", "../src/control-groups/control-groups.ts", "./playground.ts"].map((path) =>
      JSON.stringify(join(import.meta.dirname, path)),
    );
    const code = `
      const [{ DEFAULT_CHILD_LIMITS, viewOf }, { ControlGroups }, { playground, run }] =
        await Promise.all([${modules.map((path) => `import(${path})`).join(", ")}]);
      using place = playground();
      const groups = await ControlGroups.find("/bin/sh", DEFAULT_CHILD_LIMITS);
      const view = viewOf(place.authority, undefined, undefined, groups);
      await run(place, ["true"], { view, isUsual: true });
      setInterval(() => process.stdout.write("."), 100);`;
    const args = ["--input-type=module", "-e", code];
    const host = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    await once(host.stdout, "data");
    await expect.poll(() => waitingOf(host.pid)).not.toEqual([]);
    const [pid = 0] = waitingOf(host.pid);
    expect(groupsOf(host.pid)).not.toEqual([]);
    host.kill("SIGKILL");
    await once(host, "exit");
    await expect.poll(() => isThere(pid)).toBe(false);
    // The next host of this machine takes them away, which may be that of another test.
    await ControlGroups.find("/bin/sh", DEFAULT_CHILD_LIMITS);
    expect(groupsOf(host.pid)).toEqual([]);
  });
});
