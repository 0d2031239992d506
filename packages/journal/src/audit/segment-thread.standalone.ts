/** Starts a thread that checks segments, in the standalone executable. */
import { Worker, type WorkerOptions } from "node:worker_threads";
import { assetText } from "@femtoclaw/protocol/asset";

export function startSegmentThread(options: WorkerOptions): Worker {
  return new Worker(assetText("segment-worker.cjs"), { ...options, eval: true });
}
