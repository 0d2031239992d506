/** Waiting for what happens by itself. */
import { setTimeout as pause } from "node:timers/promises";

/** LIMIT: time for something to become true. */
const PATIENCE_MS = 20_000;

/** Waits until something is so; what is not so by then is for a judgement to say. */
export async function until(condition: () => boolean, patienceMs = PATIENCE_MS): Promise<void> {
  const endMs = performance.now() + patienceMs;
  while (!condition() && performance.now() < endMs) await pause(50);
}
