/** A journal as real hosts leave it: written by a runtime in a process of its own, which is killed while it writes. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { HistoryNews } from "./history-runtime.ts";

/** Time under load between two crashes. */
const LOAD_MS = 250;

/** Grows the journal under `directory` to `records` and kills the writer. */
export async function writeHistory(directory: string, records: number): Promise<void> {
  const child = start(directory, records);
  await news(child, "written");
  await crash(child);
}

/** Time from the start of a process to its runtime's `idle`, over a journal that a crash left behind. */
export async function measureIdleMs(directory: string): Promise<number> {
  const began = performance.now();
  const child = start(directory, 0);
  await news(child, "idle");
  const idleMs = performance.now() - began;
  await new Promise((resolve) => setTimeout(resolve, LOAD_MS));
  await crash(child);
  return idleMs;
}

function start(directory: string, records: number): ChildProcess {
  return fork(new URL("./history-runtime.ts", import.meta.url), [directory, String(records)], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
}

function news(child: ChildProcess, state: HistoryNews["state"]): Promise<void> {
  return new Promise((resolve, reject) => {
    child.on("message", (message: HistoryNews) => {
      if (message.state === state) resolve();
    });
    child.once("exit", (code) => reject(new Error(`the runtime of the bench ended with exit code ${code}`)));
  });
}

async function crash(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
