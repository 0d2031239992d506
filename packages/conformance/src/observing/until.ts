/** Waits for conditions that become true by themselves. */
import { setTimeout as pause } from "node:timers/promises";

/** LIMIT: time for something to become true. */
const PATIENCE_MS = 20_000;

/** Waits until the condition holds; gives up silently in the end, because a judgement will notice. */
export async function until(condition: () => boolean, patienceMs = PATIENCE_MS): Promise<void> {
  const endMs = performance.now() + patienceMs;
  while (!condition() && performance.now() < endMs) await pause(50);
}
