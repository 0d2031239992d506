/**
 * Makes a journal like those that real hosts leave: a runtime in a process of its own writes it, and is killed while it
 * writes.
 */
import { fork } from "node:child_process";
import { once } from "node:events";

/** Grows the journal under `directory` to `records`, then kills the writer. */
export async function writeHistory(directory: string, records: number): Promise<void> {
  const child = fork(new URL("./history-runtime.ts", import.meta.url), [directory, String(records)], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`the runtime of the bench ended with exit code ${code}`);
  });
  // Its first message says that it is done.
  await Promise.race([once(child, "message"), ended]);
  ended.catch(() => undefined);
  const killed = once(child, "exit");
  child.kill("SIGKILL");
  await killed;
}
