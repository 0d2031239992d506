/** The cost of a viewer to a host under load, and how far the viewer lags behind. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { AgentClient } from "@femtoclaw/client";
import type { BenchContext } from "./context.ts";
import { scaled } from "./effort.ts";
import { completed } from "./execution.ts";
import { BenchHost, type RunningHost } from "./host-start.ts";
import { Measurement, type MeasureRow, type Subject } from "./measurement.ts";
import { noopFolders } from "./noop-folders.ts";
import { quantile } from "./quantiles.ts";

const ROUND_MS = 3_000;
/** Calls begun each second regardless of earlier ones: more frames than a viewer has to be able to follow. */
const CALLS_PER_S = 1_000;
const TICK_MS = 10;
/** Milliseconds of calls that bring new records for a viewer that has read the old ones. */
const NUDGE_MS = 50;
/** Connections of the callers, as agents have them. */
const CONNECTIONS = 16;

export async function measureInspector(context: BenchContext): Promise<MeasureRow[]> {
  const { directory, effort, onProgress } = context;
  const [folder = directory] = noopFolders(directory).read;
  const path = join(folder, "note");
  writeFileSync(path, "");
  const host = new BenchHost(context.host, directory, { capabilities: ["fs_stat"] });
  const running = await host.start();
  const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => host.connect()));
  const load = (): Promise<number> => hostUsPerCall(running, clients, path, scaled(ROUND_MS, effort));
  const measuring = (measure: string, unit: Subject["unit"]) => new Measurement({ preset: "inspector", measure, unit });
  const [alone, watched, cost] = [
    measuring("alone", "us"),
    measuring("watched", "us"),
    measuring("cost of a viewer", "us"),
  ];
  const [frames, lag] = [measuring("frames followed", "events/s"), measuring("lag p99", "ms")];
  try {
    await load();
    for (let round = 1; round <= effort.rounds; round += 1) {
      onProgress(`round ${round} of ${effort.rounds}`);
      const aloneUs = await load();
      const viewer = await Viewer.open(host);
      while (!viewer.isNear) await hostUsPerCall(running, clients, path, NUDGE_MS);
      viewer.begin();
      const watchedUs = await load();
      const seen = await viewer.close();
      alone.addValue(aloneUs);
      watched.addValue(watchedUs);
      cost.addValue(watchedUs - aloneUs);
      frames.addValue(seen.framesPerS);
      lag.addValue(seen.lagMs);
    }
  } finally {
    for (const client of clients) await client[Symbol.asyncDispose]();
    await running.end("SIGTERM");
  }
  return [
    alone.row(),
    watched.row(),
    cost.row({ aims: [{ figure: "value", atMost: 60 }] }),
    frames.row({ aims: [{ figure: "value", atLeast: 5_000 }] }),
    lag.row({ aims: [{ figure: "value", atMost: 300 }] }),
  ];
}

/** CPU time of the host per call, at a fixed rate of calls. */
async function hostUsPerCall(
  running: RunningHost,
  clients: readonly AgentClient[],
  path: string,
  durationMs: number,
): Promise<number> {
  const message = Buffer.from(JSON.stringify({ tool_call: { tool: "fs_stat", args: { path } } }));
  const before = running.cpuUs ?? Number.NaN;
  const calls: Promise<void>[] = [];
  const began = performance.now();
  for (let elapsedMs = 0; elapsedMs < durationMs; elapsedMs = performance.now() - began) {
    while (calls.length < (elapsedMs * CALLS_PER_S) / 1_000) {
      const client = clients[calls.length % clients.length] as AgentClient;
      calls.push(client.propose(message).then(completed));
    }
    await sleep(TICK_MS);
  }
  await Promise.all(calls);
  return ((running.cpuUs ?? Number.NaN) - before) / calls.length;
}

/** `femtoclaw inspect --frames` in a process of its own, whose frames are those of the page. */
class Viewer {
  readonly #child: ReturnType<typeof spawn>;
  readonly #lagsMs: number[] = [];
  #frames = 0;
  /** Wall clock, as in frames. Earlier frames are history, which a viewer reads first. */
  #beganMs = Date.now();

  static async open(host: BenchHost): Promise<Viewer> {
    const { command, env } = host.commandOf(["--json", "--quiet", "inspect", "--frames"]);
    const [program, ...rest] = command;
    const child = spawn(program, rest, { stdio: ["ignore", "pipe", "ignore"], env });
    const viewer = new Viewer(child);
    await once(child.stdout, "data");
    viewer.begin();
    return viewer;
  }

  private constructor(child: ReturnType<typeof spawn>) {
    this.#child = child;
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on("line", (line) => {
      const createdMs = Number(/"createdAt":"(\d+)"/.exec(line)?.[1] ?? 0);
      if (createdMs < this.#beganMs) return;
      this.#frames += 1;
      this.#lagsMs.push(Date.now() - createdMs);
    });
  }

  /** Whether it has reached frames from after its beginning. */
  get isNear(): boolean {
    return this.#frames > 0;
  }

  /** Counts anew from now on. */
  begin(): void {
    this.#beganMs = Date.now();
    this.#frames = 0;
    this.#lagsMs.length = 0;
  }

  async close(): Promise<{ readonly framesPerS: number; readonly lagMs: number }> {
    const seconds = (Date.now() - this.#beganMs) / 1_000;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await ended;
    return { framesPerS: this.#frames / seconds, lagMs: quantile(this.#lagsMs, 0.99) };
  }
}
