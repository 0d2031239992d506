/** Callers that call again as soon as they are answered. */
import { quantile } from "./quantiles.ts";

export interface Load {
  /** Milliseconds of each call. */
  readonly latencies: readonly number[];
  readonly elapsedMs: number;
}

export type Call = (n: number) => Promise<void>;

/** Lets `callers` call for `durationMs`; each call gets the next number. */
export async function loadFor(callers: number, durationMs: number, next: () => number, call: Call): Promise<Load> {
  const latencies: number[] = [];
  const began = performance.now();
  const caller = async (): Promise<void> => {
    do {
      const asked = performance.now();
      await call(next());
      latencies.push(performance.now() - asked);
    } while (performance.now() - began < durationMs);
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return { latencies, elapsedMs: performance.now() - began };
}

/** Makes `runs` calls by `callers` callers. */
export async function loadOf(callers: number, runs: number, call: Call): Promise<Load> {
  const latencies: number[] = [];
  const began = performance.now();
  let begun = 0;
  const caller = async (): Promise<void> => {
    while (begun < runs) {
      begun += 1;
      const asked = performance.now();
      await call(begun);
      latencies.push(performance.now() - asked);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return { latencies, elapsedMs: performance.now() - began };
}

export const perSecond = ({ latencies, elapsedMs }: Load): number => (latencies.length * 1_000) / elapsedMs;
export const p50 = ({ latencies }: Load): number => quantile(latencies, 0.5);
export const p99 = ({ latencies }: Load): number => quantile(latencies, 0.99);
