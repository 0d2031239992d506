/** Waits for something that another process does. */
import { setTimeout as sleep } from "node:timers/promises";

const STEP_MS = 10;

/** Returns the first result that is not null. A failed attempt is repeated, until the time is up. */
export async function until<Found>(
  what: string,
  limitMs: number,
  attempt: () => Promise<Found | null>,
): Promise<Found> {
  const began = performance.now();
  let cause: unknown;
  do {
    try {
      const found = await attempt();
      if (found !== null) return found;
    } catch (error) {
      cause = error;
    }
    await sleep(STEP_MS);
  } while (performance.now() - began < limitMs);
  throw new Error(`${what}: still not so after ${limitMs / 1_000} s`, { cause });
}
