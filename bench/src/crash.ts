/**
 * Kills a host with SIGKILL at any moment of one effect, and looks at what its next start reports: done and reported,
 * not done and reported, honestly unknown, or wrong.
 */
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BenchContext } from "./context.ts";
import { scaled } from "./effort.ts";
import { completed } from "./execution.ts";
import { BenchHost } from "./host-start.ts";
import { Measurement, type MeasureRow } from "./measurement.ts";
import { noopFolders } from "./noop-folders.ts";
import { median } from "./quantiles.ts";

const KILLS = 60;
const WHOLE_RUNS = 5;
/** How much later than a typical call ends the last kill comes, so that some kills come after the outcome. */
const BEYOND = 1.3;

const VERDICTS = [
  "done once, told as completed",
  "not done, nothing recorded",
  "done once, told as interrupted",
  "not done, told as interrupted",
  "lost: done, nothing recorded",
  "doubled: done more than once",
  "wrong: told as completed, not done",
  "wrong: answered, told otherwise",
] as const;
type Verdict = (typeof VERDICTS)[number];

interface Life {
  /** The reply that the client got before the kill; null without one. */
  readonly answered: string | null;
  readonly effects: number;
  /** What the next host reports; null if it does not know the call. */
  readonly told: string | null;
}

export async function measureCrash({
  directory,
  host: command,
  effort,
  onProgress,
}: BenchContext): Promise<MeasureRow[]> {
  const [out = directory] = noopFolders(directory).write;
  const host = new BenchHost(command, directory, {
    capabilities: ["process_exec"],
    tables: ["[allow.run]", 'tee = ["*"]'],
  });
  const wholeMs = await typicalMs(host, out);
  const kills = scaled(KILLS, effort);
  const found = new Map<Verdict, number>(VERDICTS.map((verdict) => [verdict, 0]));
  for (let kill = 0; kill < kills; kill += 1) {
    onProgress(`kill ${kill + 1} of ${kills}`);
    const life = await killed(host, join(out, `effects-${kill}`), (wholeMs * BEYOND * kill) / kills);
    const verdict = verdictOf(life);
    found.set(verdict, (found.get(verdict) ?? 0) + 1);
  }
  return [...found].map(([measure, count]) => {
    const counted = new Measurement({ preset: "crash", measure, unit: "kills" });
    counted.addValue(count);
    const beside = { name: "all kills", value: kills };
    return counted.row(
      /^(lost|doubled|wrong)/.test(measure) ? { beside, aims: [{ figure: "value", atMost: 0 }] } : { beside },
    );
  });
}

function effect(path: string) {
  const args = { bin: "tee", argv: ["-a", path], stdin: "done\n" };
  return Buffer.from(JSON.stringify({ tool_call: { tool: "process_exec", args } }));
}

async function typicalMs(host: BenchHost, out: string): Promise<number> {
  const running = await host.start();
  const times: number[] = [];
  {
    await using client = await host.connect();
    for (let run = 0; run < WHOLE_RUNS; run += 1) {
      const began = performance.now();
      completed(await client.propose(effect(join(out, `whole-${run}`))));
      times.push(performance.now() - began);
    }
  }
  await running.end("SIGTERM");
  return median(times);
}

/** Makes one call, kills the host `afterMs` after it was sent, and asks a new host about it. */
async function killed(host: BenchHost, path: string, afterMs: number): Promise<Life> {
  const running = await host.start();
  const client = await host.connect();
  let answered: string | null = null;
  const asking = client.propose(effect(path), { label: basename(path) }).then(
    ({ status }) => {
      answered = status;
    },
    () => undefined,
  );
  await sleep(afterMs);
  await running.end("SIGKILL");
  await asking;
  const next = await host.start();
  try {
    await using operator = await host.operator();
    const executions = await operator.executions({ limit: 100 });
    const own = executions.find(({ label }) => label === basename(path));
    return { answered, effects: effectsIn(path), told: own?.status ?? null };
  } finally {
    await next.end("SIGTERM");
  }
}

function effectsIn(path: string): number {
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").length - 1 : 0;
}

function verdictOf({ answered, effects, told }: Life): Verdict {
  if (effects > 1) return "doubled: done more than once";
  if (answered !== null && answered !== told) return "wrong: answered, told otherwise";
  if (told === null) return effects === 0 ? "not done, nothing recorded" : "lost: done, nothing recorded";
  if (told === "completed")
    return effects === 1 ? "done once, told as completed" : "wrong: told as completed, not done";
  return effects === 1 ? "done once, told as interrupted" : "not done, told as interrupted";
}
