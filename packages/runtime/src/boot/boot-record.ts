/** The first record of a boot: which process runs where, with which configuration, and how the last boot ended. */
import type { JournalEntry } from "@femtoclaw/journal";
import { type Deployment, type DeploymentChangedBody, isRecordBody, parseJson, VERSION } from "@femtoclaw/protocol";
import type { Chronicle } from "../chronicle.ts";
import type { Integrity } from "../deployment.ts";
import type { LogEntry, RuntimeOptions } from "../options.ts";
import type { Projection } from "../projection/projection.ts";
import type { Memory } from "../subsystems/memory.ts";
import type { ProcessIdentity } from "../surroundings.ts";
import { interruptedEntries, interruptedTerminals } from "./interruptions.ts";

interface BootParts {
  readonly last: Projection["host"];
  readonly options: RuntimeOptions;
  readonly identity: ProcessIdentity;
  readonly integrity: Integrity;
  readonly deployment: Deployment;
}

/** Records the boot, and what the end of the previous one interrupted. */
export function recordBoot(
  chronicle: Chronicle,
  { journal, projection, epoch }: Pick<Memory, "journal" | "projection" | "epoch">,
  { log, ...parts }: Omit<BootParts, "last"> & { log(entry: LogEntry): void },
): void {
  const { host, open, terminals } = projection;
  if (epoch !== null) {
    const { origin, parent } = epoch;
    log({ level: "warn", event: "epoch.opened", log: origin, parent: parent.origin, reason: parent.reason });
  }
  const interrupted = [...interruptedEntries(open), ...interruptedTerminals(terminals.open)];
  const boot = bootEntry({ last: host, ...parts });
  const changes = (parts.options.deploymentChanges ?? []).map(changeEntry);
  [boot, ...changes].forEach(requireReadable);
  chronicle.open(boot, journal);
  for (const entry of changes) chronicle.record(entry);
  for (const entry of interrupted) chronicle.record(entry);
  if (interrupted.length > 0) log({ level: "warn", event: "execution.interrupted", count: interrupted.length });
}

function bootEntry({ last, options, identity, integrity, deployment }: BootParts): JournalEntry {
  const { sha256, approvals } = options.configuration;
  return {
    type: "boot.started",
    session: null,
    execution: null,
    body: {
      version: VERSION,
      ...identity,
      previous_boot: last.boot,
      previous_end: last.ended,
      integrity: integrity.verdict,
      integrity_reason: integrity.reason,
      deployment,
      ...(options.installation === undefined ? {} : { installation: options.installation }),
      configuration: {
        path: options.configurationPath ?? null,
        sha256,
        changed: last.configuration !== null && last.configuration !== sha256,
      },
      approvals: { operators: [...approvals.operators], operator_key: approvals.operatorKey },
    },
  };
}

function changeEntry(body: DeploymentChangedBody): JournalEntry {
  return { type: "deployment.changed", session: null, execution: null, body };
}

/**
 * Throws a `TypeError` for a record that nobody could read back. INVARIANT: I5: what an embedder passed in without types
 * is in these records, and one of them that does not match its schema would close the journal for good.
 */
function requireReadable({ type, body }: JournalEntry): void {
  if (isRecordBody(type, parseJson(JSON.stringify(body)))) return;
  const options = "configurationPath, verifyIntegrity, sources, installation, deploymentChanges or surroundings";
  throw new TypeError(
    `the record ${type} would not match its schema; one of ${options} has another form than its type`,
  );
}
