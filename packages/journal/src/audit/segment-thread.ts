/** Starts a thread that checks segments, from the sources. */
import { Worker, type WorkerOptions } from "node:worker_threads";

export function startSegmentThread(options: WorkerOptions): Worker {
  return new Worker(new URL("./segment-worker.ts", import.meta.url), options);
}
