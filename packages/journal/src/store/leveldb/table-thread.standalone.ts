/** Starts a thread that checks tables, in the standalone executable. */
import { Worker, type WorkerOptions } from "node:worker_threads";
import { assetText } from "@femtoclaw/protocol/asset";

export function startTableThread(options: WorkerOptions): Worker {
  return new Worker(assetText("table-worker.cjs"), { ...options, eval: true });
}
