/**
 * BullMQ: queue, worker and notices of completed jobs in the callers' process; state in Redis, synced at every write.
 */
import { connect } from "node:net";
import { join } from "node:path";
import { Queue, QueueEvents, Worker } from "bullmq";
import { perform } from "../perform.ts";
import { startServer } from "../server.ts";
import type { Place, System, ToolCall } from "../system.ts";
import { until } from "../until.ts";

/** Concurrent jobs. */
const CONCURRENCY = 200;
/** LIMIT: milliseconds for an interrupted call to be resumed and completed after a crash. */
const SETTLED_MS = 60_000;
/**
 * Milliseconds that a worker's claim to its job lasts, and between looks for jobs without a worker; both are 30 s by
 * default.
 */
const SOON = { lockDuration: 2_000, stalledInterval: 1_000 };

/** Every write is synced, and there are no snapshots beside the log. */
const DURABLE = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""];

export async function open({ directory, purpose }: Place): Promise<System> {
  const path = join(directory, "redis.sock");
  const socket = ["--unixsocket", path, "--unixsocketperm", "700"];
  await startServer({
    directory,
    name: "redis-server",
    command: ["redis-server", "--dir", directory, "--port", "0", ...socket, ...DURABLE],
    isReady: async () => await accepts(path),
  });
  const connection = { path, maxRetriesPerRequest: null };
  const queue = new Queue<ToolCall>("bench", { connection });
  const events = new QueueEvents("bench", { connection });
  events.setMaxListeners(0);
  const worker = new Worker<ToolCall>("bench", async ({ data }) => await perform(data), {
    connection,
    concurrency: CONCURRENCY,
    ...(purpose === "crash" ? SOON : {}),
  });
  await Promise.all([queue.waitUntilReady(), events.waitUntilReady(), worker.waitUntilReady()]);
  const waiting = new Map<string, { resolve(): void; reject(error: Error): void }>();
  events.on("completed", ({ jobId }) => waiting.get(jobId)?.resolve());
  events.on("failed", ({ jobId, failedReason }) => waiting.get(jobId)?.reject(new Error(failedReason)));
  return {
    execute: async (id, call) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      waiting.set(id, { resolve, reject });
      await queue.add("run", call, { jobId: id });
      await promise;
      waiting.delete(id);
    },
    told: async (id) =>
      await until("BullMQ is done with the call", SETTLED_MS, async () => {
        const job = await queue.getJob(id);
        if (job === undefined) return "nothing";
        return (await job.getState()) === "completed" ? "completed" : null;
      }),
  };
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.on("error", () => resolve(false)).on("connect", () => socket.end(() => resolve(true)));
  });
}
