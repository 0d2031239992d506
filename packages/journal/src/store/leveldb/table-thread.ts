/** Starts a thread that checks tables, from the sources. */
import { Worker, type WorkerOptions } from "node:worker_threads";

export function startTableThread(options: WorkerOptions): Worker {
  return new Worker(new URL("./table-worker.ts", import.meta.url), options);
}
