/** The entry point of the library. */
import { requireKnownNames } from "./known-names.ts";
import { RUNTIME_OPTIONS, type RuntimeOptions } from "./options.ts";
import { Runtime } from "./runtime.ts";

/**
 * Starts an execution authority: verifies the program, opens the journal, loads registry and policy, and takes calls
 * once all of them are ready. If one of them is not, throws a `FemtoError` such as FEMTO_POLICY_INVALID,
 * FEMTO_JOURNAL_CORRUPT or FEMTO_STATE_OWNER; then nothing runs any more, and every resource was released. Throws a
 * `TypeError` for an unknown option and for a configuration that was not resolved.
 */
export async function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  requireKnownNames("createRuntime", options, RUNTIME_OPTIONS);
  requireResolved(options.configuration);
  const runtime = new Runtime(options);
  await runtime.start();
  return runtime;
}

/** The keys of femtoclaw.toml themselves are what one hands over first where no types are. */
function requireResolved(configuration: unknown): void {
  const { authority, stateDirectory } = Object(configuration) as Record<string, unknown>;
  if (typeof authority === "object" && typeof stateDirectory === "string") return;
  throw new TypeError(
    "`configuration` must be the result of `resolveConfiguration`, which checks the keys of femtoclaw.toml against this machine",
  );
}
