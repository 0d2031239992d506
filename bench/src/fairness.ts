/** What a hostile session costs another one: the tail of its calls alone, and beside somebody who only floods. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AgentClient } from "@femtoclaw/client";
import type { BenchContext } from "./context.ts";
import { scaled } from "./effort.ts";
import { completed } from "./execution.ts";
import { BenchHost } from "./host-start.ts";
import { type Load, loadFor, p50, p99 } from "./load.ts";
import { Measurement, type MeasureRow } from "./measurement.ts";
import { noopFolders } from "./noop-folders.ts";

const ROUND_MS = 2_000;
const FLOOD_CALLS = 200;

export async function measureFairness({
  directory,
  host: command,
  effort,
  onProgress,
}: BenchContext): Promise<MeasureRow[]> {
  const host = new BenchHost(command, directory, { capabilities: ["fs_stat"] });
  const [folder = directory] = noopFolders(directory).read;
  const path = join(folder, "note");
  writeFileSync(path, "");
  const measuring = (measure: string) => new Measurement({ preset: "fairness", measure, unit: "ms", callers: 1 });
  const [aloneP50, aloneP99] = [measuring("alone p50"), measuring("alone p99")];
  const floods = [
    { name: "denied calls", message: stat("/etc/shadow") },
    { name: "malformed calls", message: Buffer.from('{"tool_call":{"tool":') },
    { name: "permitted calls", message: stat(path) },
  ].map((flood) => ({
    ...flood,
    p50: measuring(`beside ${flood.name} p50`),
    p99: measuring(`beside ${flood.name} p99`),
  }));
  const running = await host.start();
  try {
    await using honest = await host.connect();
    const load = (): Promise<Load> =>
      loadFor(
        1,
        scaled(ROUND_MS, effort),
        () => 0,
        async () => completed(await honest.propose(stat(path))),
      );
    await load();
    for (let round = 1; round <= effort.rounds; round += 1) {
      onProgress(`round ${round} of ${effort.rounds}`);
      const alone = await load();
      aloneP50.addValue(p50(alone));
      aloneP99.addValue(p99(alone));
      for (const flood of floods) {
        await using hostile = await host.connect();
        const end = flooding(hostile, flood.message);
        const beside = await load();
        await end();
        flood.p50.addValue(p50(beside));
        flood.p99.addValue(p99(beside));
      }
    }
  } finally {
    await running.end("SIGTERM");
  }
  return [
    aloneP50.row(),
    aloneP99.row(),
    ...floods.flatMap((flood) => [
      flood.p50.row({ beside: aloneP50 }),
      flood.p99.row({ beside: aloneP99, aims: [{ figure: "ratio", atMost: 1.5 }] }),
    ]),
  ];
}

function stat(path: string): Buffer {
  return Buffer.from(JSON.stringify({ tool_call: { tool: "fs_stat", args: { path } } }));
}

/** Keeps so many calls under way, whatever becomes of them, until the returned function is called. */
function flooding(client: AgentClient, message: Buffer): () => Promise<void> {
  let isOver = false;
  const flood = async (): Promise<void> => {
    while (!isOver) await client.propose(message);
  };
  const floods = Promise.all(Array.from({ length: FLOOD_CALLS }, flood));
  return async () => {
    isOver = true;
    await floods;
  };
}
