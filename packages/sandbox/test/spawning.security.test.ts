/** What starts processes in the executable does what Node.js does, and gives a process nothing that is not its own. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { Duplex, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { cLibrary } from "../src/foreign-functions.ts";
import { DirectProcess } from "../src/spawning/direct-process.ts";
import { PosixSpawn } from "../src/spawning/posix-spawn.ts";
import { spawnProcess } from "../src/spawning/spawn-process.ts";
import type { SpawnedProcess, SpawnRequest } from "../src/spawning/spawned-process.ts";

const WAYS = { "node:child_process": spawnProcess, posix_spawn: directProcess } as const;

let posix: PosixSpawn | null = null;
function directProcess(request: SpawnRequest): SpawnedProcess {
  posix ??= new PosixSpawn();
  return new DirectProcess(posix, request);
}

const shell = (script: string, more: Partial<SpawnRequest> = {}): SpawnRequest => ({
  program: "/bin/sh",
  args: ["-c", script],
  detached: false,
  stdio: ["ignore", "pipe", "pipe"],
  ...more,
});

const openDescriptors = (): string[] => readdirSync("/proc/self/fd");
/** Also those that earlier tests of this process have started. */
const childrenNow = (): string => readFileSync(`/proc/self/task/${process.pid}/children`, "utf8");

describe.skipIf(process.platform !== "linux").each(Object.entries(WAYS))("a process started by %s", (_, spawn) => {
  async function saidBy(request: SpawnRequest): Promise<{ said: string; child: SpawnedProcess }> {
    const child = spawn(request);
    const [said] = await Promise.all([text(child.stdout as Readable), once(child, "close")]);
    return { said, child };
  }

  test("ends with its exit code", async () => {
    const { said, child } = await saidBy(shell("echo out; echo err >&2; exit 7"));
    expect([said, child.exitCode, child.signalCode, child.killed]).toEqual(["out\n", 7, null, false]);
  });

  test("ends by a signal, from here or from itself", async () => {
    const { child } = await saidBy(shell("kill -USR1 $$"));
    expect([child.exitCode, child.signalCode]).toEqual([null, "SIGUSR1"]);
    const killed = spawn(shell("exec sleep 60"));
    expect(killed.kill("SIGKILL")).toBe(true);
    await once(killed, "close");
    expect([killed.exitCode, killed.signalCode, killed.killed]).toEqual([null, "SIGKILL", true]);
    expect(killed.kill("SIGKILL")).toBe(false);
  });

  test("keeps the event loop going until nobody waits for it", async () => {
    const holding = (): number => process.getActiveResourcesInfo().length;
    const before = holding();
    const child = spawn({ ...shell("exec sleep 60"), stdio: ["ignore", "ignore", "ignore"] });
    expect(holding()).toBe(before + 1);
    child.unref();
    expect(holding()).toBe(before);
    child.kill("SIGKILL");
    await once(child, "close");
    expect(child.signalCode).toBe("SIGKILL");
  });

  test("has no variables, stands in the root folder, and reads nothing that it was not given", async () => {
    const { said } = await saidBy(shell("/usr/bin/env; pwd; cat"));
    // The shell itself sets the first two.
    const lines = said.split("\n").filter((line) => !/^(PWD|_|OLDPWD|SHLVL)=/.test(line));
    expect(lines).toEqual(["/", ""]);
  });

  test("gets its descriptors and no others, also where one has no close-on-exec", async () => {
    const copied = cLibrary().getFunction("dup", { arguments: ["int32"], return: "int32" });
    const file = openSync("/bin/sh", "r");
    const leaking = Number(copied(file));
    try {
      const { said } = await saidBy({ ...shell(""), program: "/bin/ls", args: ["-l", "/proc/self/fd"] });
      const shown = [...said.matchAll(/ (\d+) -> (.*)$/gm)].map(([, descriptor, path]) => ({ descriptor, path }));
      // The null device may stand in for others. The last one is the folder that `ls` lists.
      const others = shown.filter(({ descriptor = "", path }) => Number(descriptor) > 3 && path !== "/dev/null");
      expect(others).toEqual([]);
      expect(shown.slice(0, 3).map(({ path }) => path?.split(":")[0])).toEqual(["/dev/null", "socket", "socket"]);
    } finally {
      for (const descriptor of [file, leaking]) closeSync(descriptor);
    }
  });

  test("gets descriptors whose numbers are in the way of one another", async () => {
    const files = ["/bin/sh", "/bin/cat", "/bin/ls"].map((path) => openSync(path, "r"));
    const [first = 0, second = 0, third = 0] = files;
    try {
      const stdio: SpawnRequest["stdio"] = ["ignore", "pipe", "pipe"];
      const all = [...stdio];
      // Each gets the place of another one.
      for (const [place, source] of [
        [first, second],
        [second, third],
        [third, first],
      ] as const) {
        while (all.length <= place) all.push("ignore");
        all[place] = source;
      }
      const list = `for at in ${first} ${second} ${third}; do readlink /proc/self/fd/$at; done`;
      const { said } = await saidBy(shell(list, { stdio: all }));
      const paths = files.map((file) => readlinkSync(`/proc/self/fd/${file}`));
      expect(said.trim().split("\n")).toEqual([paths[1], paths[2], paths[0]]);
    } finally {
      for (const file of files) closeSync(file);
    }
  });

  test("begins with no signal ignored or held back, though Node.js ignores SIGPIPE", async () => {
    const { said } = await saidBy({ ...shell(""), program: "/bin/cat", args: ["/proc/self/status"] });
    const signals = [...said.matchAll(/^Sig(?:Blk|Ign|Cgt):\s+(.*)$/gm)].map(([, set]) => set);
    expect(signals).toEqual(Array(3).fill("0000000000000000"));
  });

  test("leads a session of its own only if it is to", async () => {
    const session = async (detached: boolean): Promise<[string, number | undefined]> => {
      const { said, child } = await saidBy({
        ...shell(""),
        program: "/bin/cut",
        args: ["-d ", "-f6", "/proc/self/stat"],
        detached,
      });
      return [said.trim(), child.pid];
    };
    const own = readFileSync("/proc/self/stat", "latin1").split(" ")[5];
    expect((await session(false))[0]).toBe(own);
    const [said, pid] = await session(true);
    expect(said).toBe(String(pid));
  });

  test("is written to and read from by every pipe, until both ends are closed", async () => {
    const child = spawn(
      shell("read -r line <&3; echo got $line >&4; cat", { stdio: ["pipe", "pipe", "pipe", "pipe", "pipe"] }),
    );
    const [, , , third, fourth] = child.stdio as readonly Duplex[];
    third?.end("three\n");
    child.stdin?.end("x".repeat(1_000_000));
    const [out, told] = await Promise.all([
      text(child.stdout as Readable),
      text(fourth as Readable),
      once(child, "close"),
    ]);
    expect([out.length, told]).toEqual([1_000_000, "got three\n"]);
  });

  test("is closed only when what it left behind has closed the pipe too", async () => {
    const child = spawn(shell("(sleep 0.4; echo late) & exit 0"));
    const said = text(child.stdout as Readable);
    await once(child, "exit");
    await once(child, "close");
    expect(await said).toBe("late\n");
  });

  test("that cannot be started is an event, or throws if it never could", async () => {
    const child = spawn({ ...shell(""), program: "/bin/there is no such program" });
    expect(child.pid).toBeUndefined();
    const [error] = (await once(child, "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ENOENT");
    expect(child.kill("SIGTERM")).toBe(false);
    expect(() => spawn(shell("", { args: ["x".repeat(10_000_000)] }))).toThrow("E2BIG");
  });

  test("is refused without leaving anything open where descriptors run out", async () => {
    const taken: number[] = [];
    const before = openDescriptors().length;
    let code: unknown = null;
    try {
      for (;;) taken.push(openSync("/dev/null", "r"));
    } catch {
      // No descriptor is left; three are not enough for five pipes either.
      for (const descriptor of taken.splice(-3)) closeSync(descriptor);
    }
    try {
      const child = spawn(shell("exit 0", { stdio: ["pipe", "pipe", "pipe", "pipe", "pipe"] }));
      [{ code }] = (await once(child, "error")) as [NodeJS.ErrnoException];
      for (const stream of child.stdio ?? []) stream?.destroy();
    } catch (error) {
      code = (error as NodeJS.ErrnoException).code;
    } finally {
      for (const descriptor of taken) closeSync(descriptor);
    }
    expect(code).toBe("EMFILE");
    await pause(20);
    expect(openDescriptors().length).toBeLessThanOrEqual(before);
  });

  test("passes arguments as they are, and none with a zero character", async () => {
    const words = ["", "ä€😀", "a b\n", "'\"\\$HOME"];
    const { said } = await saidBy(shell('printf "%s|" "$@"', { args: ["-c", 'printf "%s|" "$@"', "sh", ...words] }));
    expect(said).toBe(words.map((word) => `${word}|`).join(""));
    expect(() => spawn(shell("", { args: ["-c", "true\0false"] }))).toThrow();
  });

  test("leaves no descriptor and no process behind, also if it could not be started", async () => {
    const round = async (): Promise<void> => {
      await Promise.all(Array.from({ length: 8 }, () => saidBy(shell("exit 0"))));
      const child = spawn({ ...shell(""), program: "/bin/there is no such program" });
      await once(child, "error");
      for (const stream of child.stdio) stream?.destroy();
      try {
        spawn(shell("", { args: ["x".repeat(10_000_000)] }));
        assert.fail("it was started");
      } catch (error) {
        expect((error as NodeJS.ErrnoException).code).toBe("E2BIG");
      }
      await pause(50);
    };
    await round();
    const [before, children] = [openDescriptors().length, childrenNow()];
    for (const _ of [1, 2, 3]) await round();
    expect(openDescriptors().length).toBeLessThanOrEqual(before);
    expect(childrenNow()).toBe(children);
  });
});

describe.skipIf(process.platform !== "linux")("a process started by posix_spawn", () => {
  test("is known to have ended even if it was the first one and ended at once, and nothing of it is left", async () => {
    const spawning = new URL("../src/spawning/", import.meta.url).href;
    // Without the signal nothing would tell of the end: the timer does nothing here but keep the process going.
    const script = `
      import { readFileSync } from "node:fs";
      import { DirectProcess } from "${spawning}direct-process.ts";
      import { PosixSpawn } from "${spawning}posix-spawn.ts";
      class Slow extends PosixSpawn {
        start(request) {
          const pid = super.start(request);
          while (!/\\) Z /.test(readFileSync("/proc/" + pid + "/stat", "latin1"))) {}
          return pid;
        }
      }
      const every = setInterval;
      globalThis.setInterval = (_, ms) => every(() => {}, ms);
      const stdio = ["ignore", "ignore", "ignore"];
      const child = new DirectProcess(new Slow(), { program: "/bin/sh", args: ["-c", "exit 3"], detached: false, stdio });
      child.once("exit", () => console.log("ended with", child.exitCode));
    `;
    const { stdout, status } = spawnSync(process.execPath, ["--input-type=module", "--eval", script], {
      encoding: "utf8",
      timeout: 30_000,
    });
    expect([stdout, status]).toEqual(["ended with 3\n", 0]);
  });

  test("gets a descriptor that is the last one below the limit of open files", async () => {
    const copied = cLibrary().getFunction("dup2", { arguments: ["int32", "int32"], return: "int32" });
    const limit = Number(/^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1]);
    const low = openSync("/bin/cat", "r");
    const last = Number(copied(low, limit - 1));
    try {
      const stdio: SpawnRequest["stdio"] = ["ignore", "pipe", "pipe", last];
      const inTheWay = [...stdio, ...Array.from({ length: low - stdio.length + 1 }, () => "ignore" as const), low];
      const child = directProcess(shell(`readlink /proc/self/fd/3 /proc/self/fd/${low + 1}`, { stdio: inTheWay }));
      const [said] = await Promise.all([text(child.stdout as Readable), once(child, "close")]);
      expect([last, said]).toEqual([limit - 1, `${readlinkSync(`/proc/self/fd/${low}`)}\n`.repeat(2)]);
    } finally {
      for (const descriptor of [low, last]) closeSync(descriptor);
    }
  });
});
