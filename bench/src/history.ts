/** A journal as real hosts leave it: written by a runtime in a process of its own, which is killed while it writes. */
import { fork } from "node:child_process";
import { once } from "node:events";

/** Grows the journal under `directory` to `records` and kills the writer. */
export async function writeHistory(directory: string, records: number): Promise<void> {
  const child = fork(new URL("./history-runtime.ts", import.meta.url), [directory, String(records)], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`the runtime of the bench ended with exit code ${code}`);
  });
  // What it says first is that it is done.
  await Promise.race([once(child, "message"), ended]);
  ended.catch(() => undefined);
  const killed = once(child, "exit");
  child.kill("SIGKILL");
  await killed;
}
