/**
 * What a host costs before anything is asked of it: from its process to the line that says that it takes calls, to the
 * first call that was carried out, its end, and what it holds and does while it waits.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AgentClient } from "@femtoclaw/client";
import { writeHistory } from "./history.ts";
import { BenchHost, type HostCommand, type HostStart, type RunningHost } from "./host-start.ts";
import { Measurement, type MeasureRow, type Sample, type Subject } from "./measurement.ts";
import { noopFolders } from "./noop.ts";

const ROUNDS = 5;
/** After it a host has done what it does behind its start. */
const SETTLED_MS = 3_000;
const WAITING_MS = 5_000;

export async function measureStartup(
  directory: string,
  records: number,
  command: HostCommand,
  onProgress: (text: string) => void,
): Promise<MeasureRow[]> {
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
  const host = new BenchHost(command, directory, ["fs_read"]);
  // The first start of a build compiles it.
  await (await host.start()).end("SIGTERM");
  for (let round = 1; round <= ROUNDS; round += 1) {
    onProgress(`round ${round} of ${ROUNDS}`);
    const first = await host.start();
    clean.add(startSample(first.started));
    effect.add(await firstEffect(first, host.runtimeDirectory, path));
    await sleep(SETTLED_MS);
    memory.add({ value: (first.memoryBytes ?? Number.NaN) / 1e6, cpuUs: null });
    waiting.add(await waitingSample(first));
    await first.end("SIGKILL");
    const second = await host.start();
    killed.add(startSample(second.started));
    end.add({ value: await second.end("SIGTERM"), cpuUs: null });
  }
  return [clean, killed, effect, end, memory, waiting].map((measurement) => measurement.row({ records }));
}

function startSample({ readyMs, cpuUs }: HostStart): Sample {
  return { value: readyMs, cpuUs };
}

/** From the start of the process to the answer of the first call. */
async function firstEffect(host: RunningHost, runtimeDirectory: string, path: string): Promise<Sample> {
  await using client = await AgentClient.connect(runtimeDirectory);
  const message = Buffer.from(JSON.stringify({ tool_call: { tool: "fs_read", args: { path } } }));
  const { status, error } = await client.propose(message);
  if (status !== "completed") throw new Error(`the first call of the bench ended as ${status}: ${error?.reason}`);
  return { value: performance.now() - host.beganMs, cpuUs: host.cpuUs };
}

/** CPU time of a host of which nothing is asked, as a share of one processor. */
async function waitingSample(host: RunningHost): Promise<Sample> {
  const [before, began] = [host.cpuUs ?? Number.NaN, performance.now()];
  await sleep(WAITING_MS);
  const usedUs = (host.cpuUs ?? Number.NaN) - before;
  return { value: (usedUs / ((performance.now() - began) * 1_000)) * 100, cpuUs: usedUs };
}
