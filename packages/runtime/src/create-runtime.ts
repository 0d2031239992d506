/** The entry point of the library. */
import { requireKnownNames } from "./known-names.ts";
import { RUNTIME_OPTIONS, type RuntimeOptions, requireResolved } from "./options.ts";
import { Runtime } from "./runtime.ts";
import { takenOptions } from "./taken-options.ts";

/**
 * Starts an execution authority: verifies the program, opens the journal, loads registry and policy, and takes calls
 * once all of them are ready. If one of them is not, throws a `FemtoError` such as FEMTO_POLICY_INVALID,
 * FEMTO_JOURNAL_CORRUPT or FEMTO_STATE_OWNER; then nothing runs any more, and every resource was released. Throws a
 * `TypeError` for an unknown option and for a configuration that was not resolved.
 */
export async function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  requireKnownNames("createRuntime", options, RUNTIME_OPTIONS);
  requireResolved(options.configuration);
  const runtime = new Runtime(takenOptions(options));
  await runtime.start();
  return runtime;
}
