/** Makes the runtime of a host, or of a command that works without a host, from a loaded configuration. */
import { LogMemory } from "@femtoclaw/journal/known-log";
import { proveContinuation } from "@femtoclaw/journal/live";
import type { PolicyEngine } from "@femtoclaw/policy/live";
import { errorText, FemtoError } from "@femtoclaw/protocol";
import type { LogEntry, ResolvedConfiguration, TelemetryExporter, Witness } from "@femtoclaw/runtime";
import type { OpenedEpoch } from "@femtoclaw/runtime/epochs";
import { createRuntime, type Runtime, type Surroundings, systemSurroundings } from "@femtoclaw/runtime/live";
import type { Telemetry } from "@femtoclaw/telemetry";
import type { LoadedConfiguration } from "../configuration/load-configuration.ts";
import { ownInstallation } from "../installation/own-installation.ts";
import { ownIntegrity } from "../integrity/own-integrity.ts";
import { loadPolicy } from "./preflight.ts";

/**
 * A runtime for a loaded configuration, with the exporter that it names. A bad policy is refused before anything is
 * opened.
 */
export async function startRuntime(
  loaded: LoadedConfiguration,
  log: (entry: LogEntry) => void,
  exporter?: TelemetryExporter,
): Promise<Runtime> {
  const { resolved, path } = loaded;
  const surroundings = systemSurroundings();
  const onFault = (reason: string): void => log({ level: "error", event: "policy.fault", reason });
  const { policyFiles, warnings, engine } = await loadPolicy(loaded, {
    openEngine: () => surroundings.openPolicyEngine({ onFault }),
  });
  const [warning] = warnings;
  if (warning !== undefined) {
    const reason = `${warning.source}: ${warning.message}`;
    const fix = "`femtoclaw policy check` prints all warnings.";
    log({ level: "warn", event: "policy.warnings", reason, fix });
  }
  const telemetry = exporter ?? (resolved.otlpEndpoint === undefined ? undefined : await telemetryOf(resolved));
  const installed = ownInstallation(resolved.stateDirectory);
  const runtime = await createRuntime({
    ...installed.options,
    configuration: resolved,
    configurationPath: path,
    policyFiles,
    surroundings: engine === null ? surroundings : goingOnWith(engine, surroundings),
    log,
    witnesses: await witnessesOf(resolved),
    verifyIntegrity: () => ownIntegrity({ environment: process.env, whole: false }),
    sources: loaded.sources,
    onEpoch: (epoch) => announceLog(resolved, epoch, log),
    ...(telemetry === undefined ? {} : { telemetry }),
  });
  await installed.recorded();
  return runtime;
}

/**
 * Hands the engine that answered the policy's tests to the runtime as its first one, so that it is loaded only once.
 */
function goingOnWith(tested: PolicyEngine, surroundings: Surroundings): Surroundings {
  const waiting = [tested];
  return {
    ...surroundings,
    openPolicyEngine: async (options) => waiting.pop() ?? (await surroundings.openPolicyEngine(options)),
  };
}

/**
 * Prepares this user's memory of the log in the state directory for its successor. Clients that remember the log by its
 * sockets are not affected; they will be told that it is another one.
 */
async function announceLog(
  { stateDirectory }: ResolvedConfiguration,
  { firstKey, vkey, standsIn, beginsWith }: OpenedEpoch,
  log: (entry: LogEntry) => void,
): Promise<void> {
  await memoryOf(stateDirectory, log).announce({ before: firstKey, next: vkey, oldPlace: standsIn, beginsWith });
}

function memoryOf(place: string, log: (entry: LogEntry) => void): LogMemory {
  const warn = (reason: string): void => log({ level: "warn", event: "log.not_remembered", reason });
  return new LogMemory({ environment: process.env, place, warn });
}

/**
 * Compares the log with what was seen of it here, and remembers its current state. A mismatch is only logged: it
 * concerns those who ask later and does not make a sound journal unusable, so nobody has to wait for this.
 */
export async function rememberLog(
  stateDirectory: string,
  runtime: Runtime,
  log: (entry: LogEntry) => void,
): Promise<void> {
  const memory = memoryOf(stateDirectory, log);
  try {
    await runtime.checkpoint();
    await memory.meet((from) => proveContinuation(runtime.reader, from));
  } catch (error) {
    const fix = error instanceof FemtoError ? { fix: error.fix } : {};
    log({ level: "warn", event: "log.differs", reason: errorText(error), ...fix });
  }
}

/** Transports of witnesses are loaded only if there are any. */
async function witnessesOf({ witnesses }: ResolvedConfiguration): Promise<readonly Witness[]> {
  if (witnesses.length === 0) return [];
  return (await import("../witness/configured-witnesses.ts")).configuredWitnesses(witnesses);
}

/** OpenTelemetry is loaded only if it is wanted. */
export async function telemetryOf({ otlpEndpoint, otlpSignals }: ResolvedConfiguration): Promise<Telemetry> {
  const { Telemetry } = await import("@femtoclaw/telemetry");
  const signals = otlpSignals === undefined ? {} : { signals: otlpSignals };
  return new Telemetry({ endpoint: otlpEndpoint ?? null, ...signals });
}
