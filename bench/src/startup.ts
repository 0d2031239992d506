/**
 * The cost of a host before it is asked anything: from its process to the line that says that it accepts calls, to the
 * first completed call, its end, and what it uses while it waits.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Aim } from "./aim.ts";
import type { BenchContext } from "./context.ts";
import { scaled } from "./effort.ts";
import { completed } from "./execution.ts";
import { writeHistory } from "./history.ts";
import { aimsOfHost, BenchHost, type HostCommand, type HostStart, type RunningHost } from "./host-start.ts";
import { Measurement, type MeasureRow, type Sample, type Subject } from "./measurement.ts";
import { noopFolders } from "./noop-folders.ts";
import { emptyProcessMs } from "./yardstick.ts";

/** Milliseconds after which a host has finished its work in the background of a start. */
const SETTLED_MS = 3_000;
const WAITING_MS = 5_000;

export async function measureStartup(context: BenchContext): Promise<MeasureRow[]> {
  const { directory, records, effort, executable, onProgress } = context;
  onProgress(`writing a history of ${records} records`);
  await writeHistory(directory, records);
  const hosts = [
    new MeasuredHost(context, context.host, {}),
    ...(executable === null ? [] : [new MeasuredHost(context, executable, { surface: "executable" })]),
  ];
  for (const host of hosts) await host.warmUp();
  for (let round = 1; round <= effort.rounds; round += 1) {
    onProgress(`round ${round} of ${effort.rounds}`);
    for (const host of hosts) await host.round();
  }
  return hosts.flatMap((host) => host.rows());
}

class MeasuredHost {
  readonly #context: BenchContext;
  readonly #circumstances: Pick<Subject, "records" | "surface">;
  readonly #host: BenchHost;
  readonly #file: string;
  readonly #clean = measuring("idle-clean", "ms");
  readonly #killed = measuring("idle", "ms");
  readonly #effect = measuring("first-effect", "ms");
  readonly #end = measuring("shutdown", "ms");
  readonly #memory = measuring("memory", "MB");
  readonly #waiting = measuring("idle-cpu", "%");

  constructor(context: BenchContext, command: HostCommand, circumstances: Pick<Subject, "surface">) {
    const { directory, records } = context;
    const [folder = directory] = noopFolders(directory).read;
    this.#context = context;
    this.#circumstances = { records, ...circumstances };
    this.#file = join(folder, "note");
    writeFileSync(this.#file, "a note of the bench\n");
    this.#host = new BenchHost(command, directory, { capabilities: ["fs_read"] });
  }

  /** The first start of a build compiles it, or reads its whole file. */
  async warmUp(): Promise<void> {
    await (await this.#host.start()).end("SIGTERM");
  }

  async round(): Promise<void> {
    const first = await this.#startAwake();
    this.#clean.add(startSample(first.started));
    this.#effect.add(await firstEffect(first, this.#host, this.#file));
    await sleep(SETTLED_MS);
    this.#memory.add({ value: (first.memoryBytes ?? Number.NaN) / 1e6, cpuUs: null });
    this.#waiting.add(await waitingSample(first, scaled(WAITING_MS, this.#context.effort)));
    await first.end("SIGKILL");
    const second = await this.#startAwake();
    this.#killed.add(startSample(second.started));
    this.#end.add({ value: await second.end("SIGTERM"), cpuUs: null });
  }

  /** Wakes the machine up, so that its rest during a round does not slow down the start. */
  async #startAwake(): Promise<RunningHost> {
    await emptyProcessMs();
    return await this.#host.start();
  }

  rows(): MeasureRow[] {
    const emptyProcess = { name: "empty process", value: this.#context.yardstick.node_e0_ms };
    const measured: readonly (readonly [Measurement, typeof emptyProcess | undefined, Aim<"value">])[] = [
      [this.#clean, emptyProcess, { figure: "value", atMost: 100 }],
      [this.#killed, emptyProcess, { figure: "value", atMost: 300 }],
      [this.#effect, emptyProcess, { figure: "value", atMost: 250 }],
      [this.#end, undefined, { figure: "value", atMost: 100 }],
      [this.#memory, undefined, { figure: "value", atMost: 90 }],
      [this.#waiting, undefined, { figure: "value", atMost: 0.1 }],
    ];
    return measured.map(([measurement, beside, aim]) =>
      measurement.row({
        circumstances: this.#circumstances,
        beside,
        aims: aimsOfHost(this.#circumstances, [aim]),
      }),
    );
  }
}

const measuring = (measure: string, unit: Subject["unit"]): Measurement =>
  new Measurement({ preset: "startup", measure, unit });

function startSample({ readyMs, cpuUs }: HostStart): Sample {
  return { value: readyMs, cpuUs };
}

/** From the start of the process to the answer of the first call. */
async function firstEffect(running: RunningHost, host: BenchHost, path: string): Promise<Sample> {
  await using client = await host.connect();
  completed(await client.propose(Buffer.from(JSON.stringify({ tool_call: { tool: "fs_read", args: { path } } }))));
  return { value: performance.now() - running.beganMs, cpuUs: running.cpuUs };
}

/** CPU time of an idle host, as a percentage of one processor. */
async function waitingSample(host: RunningHost, waitingMs: number): Promise<Sample> {
  const [before, began] = [host.cpuUs ?? Number.NaN, performance.now()];
  await sleep(waitingMs);
  const usedUs = (host.cpuUs ?? Number.NaN) - before;
  return { value: (usedUs / ((performance.now() - began) * 1_000)) * 100, cpuUs: usedUs };
}
