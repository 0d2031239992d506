/**
 * Executions per second through the whole pipeline: parse, validate, facts, Cedar, durable intent, a
 * capability that does nothing, durable outcome. Only the effect is left out, because it is not ours.
 */
import { createRuntime } from "@femtoclaw/runtime";
import { noop, noopConfiguration, proposeNoop } from "./noop.ts";
import { median, quantile, rounded } from "./quantiles.ts";

export interface ExecutionRow {
  readonly preset: "execution";
  readonly surface: "in-process";
  readonly callers: number;
  readonly requests: "distinct";
  readonly executions_per_s: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  /** CPU time of the whole process for one execution, callers included. */
  readonly cpu_us: number;
  readonly rounds: number;
}

const CALLERS = [1, 10, 100, 1_000];
const ROUNDS = 3;
const ROUND_MS = 1_500;
const WARM_UP_MS = 500;

export async function measureExecutions(
  directory: string,
  onProgress: (text: string) => void,
): Promise<ExecutionRow[]> {
  await using runtime = await createRuntime({
    configuration: noopConfiguration(directory),
    capabilities: [noop],
    permit: ["noop"],
  });
  await using session = runtime.openSession({ channel: "library", label: "bench" });
  let n = 0;
  const load = async (callers: number, durationMs: number): Promise<Round> => {
    const latencies: number[] = [];
    const cpu = process.cpuUsage();
    const start = performance.now();
    const caller = async (): Promise<void> => {
      while (performance.now() - start < durationMs) {
        const sent = performance.now();
        n += 1;
        await proposeNoop(session, n);
        latencies.push(performance.now() - sent);
      }
    };
    await Promise.all(Array.from({ length: callers }, caller));
    const { user, system } = process.cpuUsage(cpu);
    return { latencies, elapsedMs: performance.now() - start, cpuUs: user + system };
  };
  await load(100, WARM_UP_MS);
  const rounds = new Map<number, Round[]>(CALLERS.map((callers) => [callers, []]));
  // Interleaved, so that a disturbance of the machine meets every row and not one of them.
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const callers of CALLERS) {
      onProgress(`round ${round} of ${ROUNDS}: ${callers} callers`);
      rounds.get(callers)?.push(await load(callers, ROUND_MS));
    }
  }
  return [...rounds].map(([callers, measured]) => row(callers, measured));
}

interface Round {
  readonly latencies: number[];
  readonly elapsedMs: number;
  readonly cpuUs: number;
}

function row(callers: number, rounds: readonly Round[]): ExecutionRow {
  const over = (value: (round: Round) => number): number => median(rounds.map(value));
  return {
    preset: "execution",
    surface: "in-process",
    callers,
    requests: "distinct",
    executions_per_s: Math.round(over(({ latencies, elapsedMs }) => (latencies.length * 1000) / elapsedMs)),
    p50_ms: rounded(over(({ latencies }) => quantile(latencies, 0.5))),
    p99_ms: rounded(over(({ latencies }) => quantile(latencies, 0.99))),
    cpu_us: rounded(over(({ latencies, cpuUs }) => cpuUs / latencies.length)),
    rounds: rounds.length,
  };
}
