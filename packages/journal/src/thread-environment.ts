/** What threads of this package are told about their surroundings. */
import { getCompileCacheDir } from "node:module";
import { dirname } from "node:path";

/** A thread uses the compiled code that this process keeps, if it keeps any; Node.js lets it know in no other way. */
export function threadEnvironment(): NodeJS.ProcessEnv {
  const kept = getCompileCacheDir();
  return kept === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: dirname(kept) };
}
