/** Starts the thread in which policies are tried out, in the standalone executable. */
import { Worker, type WorkerOptions } from "node:worker_threads";
import { assetText } from "@femtoclaw/protocol/asset";

export function startTrialThread(options: WorkerOptions): Worker {
  return new Worker(assetText("trial-worker.cjs"), { ...options, eval: true });
}
