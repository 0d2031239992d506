/**
 * The cost of a hostile session to another one: the latency of that one's calls alone, and beside a process that
 * floods.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BenchContext } from "./context.ts";
import { scaled } from "./effort.ts";
import { completed } from "./execution.ts";
import { BenchHost } from "./host-start.ts";
import { type Load, loadFor, p50, p99 } from "./load.ts";
import { Measurement, type MeasureRow } from "./measurement.ts";
import { noopFolders } from "./noop-folders.ts";

const ROUND_MS = 2_000;
const FLOOD = fileURLToPath(new URL("./fairness-flood.ts", import.meta.url));

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
        const end = await flooding(host, flood.message);
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

/** Starts a process that keeps calls under way until the returned function is called. */
async function flooding({ place, home }: BenchHost, message: Buffer): Promise<() => Promise<void>> {
  const child = spawn(process.execPath, [FLOOD, place, home, message.toString("base64")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  const [first] = await Promise.race([once(child.stdout, "data"), ended]);
  if (!Buffer.isBuffer(first)) throw new Error(`the flood of the bench ended with exit code ${String(first)}`);
  return async () => {
    child.stdin.end();
    await ended;
  };
}
