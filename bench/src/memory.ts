/**
 * Memory held for waiting calls and open sessions, and whether anything grows under load: memory and latency of a host
 * that is never idle, at the beginning and at the end.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createRuntime, type Session } from "@femtoclaw/runtime";
import { Asker, askingRuntime } from "./approvals.ts";
import { heldBytes } from "./collect-garbage.ts";
import type { BenchContext } from "./context.ts";
import { scaled } from "./effort.ts";
import { completed } from "./execution.ts";
import { BenchHost } from "./host-start.ts";
import { type Load, loadFor, loadOf, p50, p99 } from "./load.ts";
import { Measurement, type MeasureRow, type Subject } from "./measurement.ts";
import { noop, noopConfiguration, proposeNoop } from "./noop.ts";
import { noopFolders } from "./noop-folders.ts";

const WAITING_SESSIONS = 1_250;
const WAITING_PER_SESSION = 8;
/** Rounds of questions until nothing is compiled any more. */
const WARM_ROUNDS = 1;
const SESSIONS = 2_000;
const EXECUTIONS = 20_000;
const SUSTAINED_MS = 30_000;
const SUSTAINED_CALLERS = 10;

const measuring = (measure: string, unit: Subject["unit"]) => new Measurement({ preset: "memory", measure, unit });

export async function measureMemory(context: BenchContext): Promise<MeasureRow[]> {
  return [
    await waiting(join(context.directory, "waiting")),
    ...(await heldInProcess(context, join(context.directory, "sessions"))),
    ...(await sustained(context, join(context.directory, "sustained"))),
  ];
}

async function waiting(directory: string): Promise<MeasureRow> {
  mkdirSync(directory);
  const held = measuring("a waiting question", "B");
  await using runtime = await askingRuntime(directory);
  const asker = new Asker(runtime);
  const heldBy = async (perSession: number): Promise<number> => {
    await using _ = await asker.open(WAITING_SESSIONS * perSession, perSession);
    return heldBytes();
  };
  // Compilation and growth that happen once are over before the measurement; the sessions themselves count on both
  // sides.
  for (let round = 0; round < WARM_ROUNDS; round += 1) await heldBy(WAITING_PER_SESSION);
  const few = await heldBy(1);
  const many = await heldBy(WAITING_PER_SESSION);
  held.addValue((many - few) / (WAITING_SESSIONS * (WAITING_PER_SESSION - 1)));
  return held.row({ aims: [{ figure: "value", atMost: 256 }] });
}

/** Bytes per open session that has made one call, and per execution that has ended. */
async function heldInProcess({ effort }: BenchContext, directory: string): Promise<MeasureRow[]> {
  mkdirSync(directory);
  const [perSession, perExecution] = [measuring("an open session", "B"), measuring("an ended execution", "B")];
  const configuration = noopConfiguration(directory);
  await using runtime = await createRuntime({ configuration, capabilities: [noop], permit: ["noop"] });
  const opened = (): Session => runtime.openSession({ channel: "library", label: "bench" });
  await using session = opened();
  const execute = (n: number): Promise<void> => proposeNoop(session, n);
  const executions = scaled(EXECUTIONS, effort);
  await loadOf(100, executions, execute);
  const before = heldBytes();
  await loadOf(100, executions, execute);
  const after = heldBytes();
  perExecution.addValue((after - before) / executions);
  const sessions = Array.from({ length: SESSIONS }, opened);
  for (const [index, one] of sessions.entries()) await proposeNoop(one, index);
  perSession.addValue((heldBytes() - after) / SESSIONS);
  for (const one of sessions) one.close();
  return [perSession.row(), perExecution.row()];
}

interface Part {
  readonly load: Load;
  readonly memoryMb: number;
}

/** Compares the last quarter of a load with the second; in the first one, code is still compiled. */
async function sustained(
  { host: command, effort, onProgress }: BenchContext,
  directory: string,
): Promise<MeasureRow[]> {
  mkdirSync(directory);
  const host = new BenchHost(command, directory, { capabilities: ["fs_stat"] });
  const [path] = noopFolders(directory).read;
  const message = Buffer.from(JSON.stringify({ tool_call: { tool: "fs_stat", args: { path } } }));
  const running = await host.start();
  try {
    await using client = await host.connect();
    const parts: Part[] = [];
    for (let quarter = 1; quarter <= 4; quarter += 1) {
      onProgress(`quarter ${quarter} of 4 of a sustained load`);
      const load = await loadFor(
        SUSTAINED_CALLERS,
        scaled(SUSTAINED_MS / 4, effort),
        () => 0,
        async () => {
          completed(await client.propose(message));
        },
      );
      parts.push({ load, memoryMb: (running.memoryBytes ?? Number.NaN) / 1e6 });
    }
    return [
      grown("host under load", "MB", parts, ({ memoryMb }) => memoryMb),
      grown("p50 under load", "ms", parts, ({ load }) => p50(load)),
      grown("p99 under load", "ms", parts, ({ load }) => p99(load)),
    ];
  } finally {
    await running.end("SIGTERM");
  }
}

/** Growth by less than a fifth from the second quarter to the last counts as flat. */
const FLAT = 1.2;

function grown(measure: string, unit: Subject["unit"], parts: readonly Part[], of: (part: Part) => number): MeasureRow {
  const [, early = Number.NaN, , late = Number.NaN] = parts.map(of);
  const last = measuring(measure, unit);
  last.addValue(late);
  const aims = [{ figure: "ratio", atMost: FLAT }] as const;
  return last.row({ beside: { name: "two quarters earlier", value: early }, aims });
}
