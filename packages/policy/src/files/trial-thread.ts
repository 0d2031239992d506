/** Starts the thread in which policies are tried out, from the sources. */
import { Worker, type WorkerOptions } from "node:worker_threads";

export function startTrialThread(options: WorkerOptions): Worker {
  return new Worker(new URL("./trial-worker.ts", import.meta.url), options);
}
