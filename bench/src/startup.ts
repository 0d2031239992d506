/**
 * What a host costs before anything is asked of it: from its process to the line that says that it takes calls, to the
 * first call that was carried out, its end, and what it holds and does while it waits.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Aim } from "./aim.ts";
import type { BenchContext } from "./context.ts";
import { scaled } from "./effort.ts";
import { completed } from "./execution.ts";
import { writeHistory } from "./history.ts";
import { BenchHost, type HostStart, type RunningHost } from "./host-start.ts";
import { Measurement, type MeasureRow, type Sample, type Subject } from "./measurement.ts";
import { noopFolders } from "./noop-folders.ts";

/** After it a host has done what it does behind its start. */
const SETTLED_MS = 3_000;
const WAITING_MS = 5_000;

export async function measureStartup(context: BenchContext): Promise<MeasureRow[]> {
  const { directory, records, effort, onProgress } = context;
  onProgress(`writing a history of ${records} records`);
  await writeHistory(directory, records);
  const [folder = directory] = noopFolders(directory).read;
  const path = join(folder, "note");
  writeFileSync(path, "a note of the bench\n");
  const measuring = (measure: string, unit: Subject["unit"]) => new Measurement({ preset: "startup", measure, unit });
  const clean = measuring("idle-clean", "ms");
  const killed = measuring("idle", "ms");
  const effect = measuring("first-effect", "ms");
  const end = measuring("shutdown", "ms");
  const memory = measuring("memory", "MB");
  const waiting = measuring("idle-cpu", "%");
  const host = new BenchHost(context.host, directory, { capabilities: ["fs_read"] });
  // The first start of a build compiles it.
  await (await host.start()).end("SIGTERM");
  for (let round = 1; round <= effort.rounds; round += 1) {
    onProgress(`round ${round} of ${effort.rounds}`);
    const first = await host.start();
    clean.add(startSample(first.started));
    effect.add(await firstEffect(first, host, path));
    await sleep(SETTLED_MS);
    memory.add({ value: (first.memoryBytes ?? Number.NaN) / 1e6, cpuUs: null });
    waiting.add(await waitingSample(first, scaled(WAITING_MS, effort)));
    await first.end("SIGKILL");
    const second = await host.start();
    killed.add(startSample(second.started));
    end.add({ value: await second.end("SIGTERM"), cpuUs: null });
  }
  const emptyProcess = { name: "empty process", value: context.yardstick.node_e0_ms };
  const measured: readonly (readonly [Measurement, typeof emptyProcess | undefined, Aim<"value">])[] = [
    [clean, emptyProcess, { figure: "value", atMost: 100 }],
    [killed, emptyProcess, { figure: "value", atMost: 300 }],
    [effect, emptyProcess, { figure: "value", atMost: 250 }],
    [end, undefined, { figure: "value", atMost: 100 }],
    [memory, undefined, { figure: "value", atMost: 90 }],
    [waiting, undefined, { figure: "value", atMost: 0.1 }],
  ];
  return measured.map(([measurement, beside, aim]) =>
    measurement.row({ circumstances: { records }, beside, aims: [aim] }),
  );
}

function startSample({ readyMs, cpuUs }: HostStart): Sample {
  return { value: readyMs, cpuUs };
}

/** From the start of the process to the answer of the first call. */
async function firstEffect(running: RunningHost, host: BenchHost, path: string): Promise<Sample> {
  await using client = await host.connect();
  completed(await client.propose(Buffer.from(JSON.stringify({ tool_call: { tool: "fs_read", args: { path } } }))));
  return { value: performance.now() - running.beganMs, cpuUs: running.cpuUs };
}

/** CPU time of a host of which nothing is asked, as a share of one processor. */
async function waitingSample(host: RunningHost, waitingMs: number): Promise<Sample> {
  const [before, began] = [host.cpuUs ?? Number.NaN, performance.now()];
  await sleep(waitingMs);
  const usedUs = (host.cpuUs ?? Number.NaN) - before;
  return { value: (usedUs / ((performance.now() - began) * 1_000)) * 100, cpuUs: usedUs };
}
