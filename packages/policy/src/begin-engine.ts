/** For who will need the engine and has much to read before that. */
import { FLAGS_STAND } from "#engine-files";
import { compiledEngine } from "./cedar-instance.ts";

/**
 * Has other threads compile the engine from now on. Where V8 has the engine's flags for that moment alone, what is read in it
 * would not count as compiled, so there it is begun when it is needed.
 */
export function beginEngine(): void {
  // Whoever opens an engine hears of it.
  if (FLAGS_STAND) compiledEngine().catch(() => undefined);
}
