/** For programs that will need the engine soon but have much to read before that. */
import { FLAGS_STAND } from "#engine-files";
import { compiledEngine } from "./cedar-instance.ts";

/**
 * Lets other threads compile the engine from now on. If V8 has the engine's flags only during that compilation, code
 * that is read meanwhile would not count as compiled; in that case the compilation begins only when the engine is
 * needed.
 */
export function beginEngine(): void {
  // The caller that opens an engine gets the error.
  if (FLAGS_STAND) compiledEngine().catch(() => undefined);
}
