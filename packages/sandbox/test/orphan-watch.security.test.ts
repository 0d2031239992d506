/** Nothing that a host started outlives it, whenever the host is killed. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_CHILD_LIMITS, probeSandbox } from "../src/index.ts";
import { playground, run } from "./playground.ts";
import { environmentOf } from "./stranger.ts";

const HOST = join(import.meta.dirname, "killed-host.ts");
const ROUNDS = 12;
const AT_ONCE = 6;
/** Seconds that no other test sleeps: the first of these belong to this process, the others to its rounds. */
const SLEEP = 1_000_000 + process.pid * 100;

const started: ChildProcess[] = [];
/** Where the hosts that are killed have their files, which they cannot remove. */
let temporary: string;
beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), "femtoclaw-orphans-"));
});
afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
  for (const pid of left()) kill(pid);
  rmSync(temporary, { recursive: true, maxRetries: 20, retryDelay: 50 });
});

/** Numbers of the processes of whose command line this holds. */
function processes(holds: (words: readonly string[]) => boolean): number[] {
  const pids = readdirSync("/proc").map(Number);
  return pids.filter((pid) => pid > 1 && pid !== process.pid && holds(wordsOf(pid)));
}

function wordsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

const isOwn = (word: string): boolean => /^\d{7,}$/.test(word) && Number(word) >= SLEEP && Number(word) < SLEEP + 100;
/** All processes with a program of this file in their command line. */
const left = (): number[] => processes((words) => words.some(isOwn));
const sleepers = (): number[] => processes(([program = "", ...words]) => /\bsleep$/.test(program) && words.some(isOwn));
const marked = (mark: string): number[] => processes((words) => words.includes(mark));
const isWatch = (pid: number): boolean => wordsOf(pid).join(" ").includes("femto_mark");
const watchesOf = (host: number): number[] =>
  readFileSync(`/proc/${host}/task/${host}/children`, "utf8").split(" ").filter(Boolean).map(Number).filter(isWatch);

/** A host whose programs are being started, and its mark. */
async function hostOf(seconds: number, atOnce = AT_ONCE): Promise<{ host: ChildProcess; mark: string }> {
  const env = { ...process.env, ...environmentOf(temporary) };
  const host = spawn(process.execPath, ["--no-warnings", HOST, String(seconds), String(atOnce)], { env });
  started.push(host);
  const [mark] = (await once(createInterface(host.stdout as Readable), "line")) as [string];
  return { host, mark };
}

const isThere = await (async () => {
  using place = playground();
  const probed = await probeSandbox(place.authority, DEFAULT_CHILD_LIMITS);
  return probed.ok && probed.name === "bubblewrap";
})();

describe.skipIf(!isThere)("what a host under bubblewrap started", () => {
  it("ends with a host that is killed while its sandboxes are set up", { timeout: 120_000 }, async () => {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const { host } = await hostOf(SLEEP + round);
      await pause(round * 3);
      host.kill("SIGKILL");
      await once(host, "close");
    }
    await expect.poll(left, { timeout: 10_000 }).toEqual([]);
  });

  it("carries the mark of its host, process 1 included, and the program does not", async () => {
    const { mark } = await hostOf(SLEEP, 1);
    await expect.poll(() => sleepers()).toHaveLength(1);
    const [program = 0] = sleepers();
    const parentOf = (pid: number): number =>
      Number(/^PPid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
    const first = parentOf(program);
    expect(marked(mark).sort()).toEqual([first, parentOf(first)].sort());
  });

  it("is found by that mark alone, though nothing else would end it", async () => {
    const { host, mark } = await hostOf(SLEEP, 1);
    const orphan = (word: string): ChildProcess => spawn("sh", ["-c", "read -r never", "sh", word], { detached: true });
    const [own, other] = [orphan(mark), orphan(`${mark.slice(0, -1)}x`)];
    started.push(own, other);
    await expect.poll(() => sleepers()).toHaveLength(1);
    host.kill("SIGKILL");
    const [, signal] = (await once(own, "exit")) as [number | null, string | null];
    expect(signal).toBe("SIGKILL");
    expect(existsSync(`/proc/${other.pid}`) && other.exitCode === null && other.signalCode === null).toBe(true);
  });

  it("is started under another watch if somebody has ended the first one", async () => {
    using place = playground();
    await run(place, ["true"]);
    const watches = (): number[] => watchesOf(process.pid);
    expect(watches()).not.toEqual([]);
    // Other files of tests may have started more in this process.
    for (const pid of watches()) kill(pid);
    await expect.poll(watches).toEqual([]);
    // The kernel knows that a watch has ended before its host is told.
    const watchesAfterRun = async (): Promise<number[]> => {
      await run(place, ["true"]);
      return watches();
    };
    await expect.poll(watchesAfterRun).toHaveLength(1);
  });

  it("leaves no watch when the host ends in an orderly way", () => {
    const script = `
      const { playground, run } = await import(${JSON.stringify(join(import.meta.dirname, "playground.ts"))});
      using place = playground();
      await run(place, ["true"]);
      const { readFileSync } = await import("node:fs");
      process.stdout.write(readFileSync("/proc/self/task/" + process.pid + "/children", "utf8"));`;
    const said = execFileSync(process.execPath, ["--no-warnings", "--input-type=module", "--eval", script]).toString();
    const children = said.trim().split(" ").map(Number);
    expect(children).toHaveLength(1);
    expect(children.filter(isWatch)).toEqual([]);
  });
});
