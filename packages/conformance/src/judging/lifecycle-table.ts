/** The transitions of the root machine as documented: the model against which records are checked. */
import type { SeenRecord } from "../observations.ts";

const PHASES = [
  "verifyingIntegrity",
  "loadingConfiguration",
  "openingMemory",
  "loadingRegistry",
  "loadingPolicy",
  "startingObservability",
] as const;
const INITIAL = PHASES[0];

const LEGAL: ReadonlySet<string> = new Set([
  "verifyingIntegrity integrity.verified loadingConfiguration",
  "loadingConfiguration configuration.loaded openingMemory",
  "openingMemory memory.ready loadingRegistry",
  "loadingRegistry registry.ready loadingPolicy",
  "loadingPolicy policy.ready startingObservability",
  "startingObservability observability.ready idle",
  ...PHASES.flatMap((phase) => [`${phase} fault error`, `${phase} shutdown shuttingDown`]),
  "idle execution.began executing",
  "executing execution.ended idle",
  ...["idle", "executing"].flatMap((phase) => [`${phase} drain draining`, `${phase} fault error`]),
  "draining fault error",
  "draining drained shuttingDown",
  "error shutdown shuttingDown",
  "shuttingDown stopped terminated",
]);

/** Transitions in the records of each boot that break the table or do not follow each other. */
export function illegalTransitions(records: readonly SeenRecord[]): string[] {
  const phases = new Map<string, string>();
  const illegal: string[] = [];
  for (const { seq, type, boot, body } of records) {
    if (type !== "lifecycle.changed") continue;
    const [from, event, to] = [body["from"], body["event"], body["to"]].map(String);
    const before = phases.get(boot) ?? INITIAL;
    if (!LEGAL.has(`${from} ${event} ${to}`)) illegal.push(`record ${seq}: ${from} to ${to} by ${event}`);
    // Other records tell whether something executes, so only the phases around these two have to follow each other.
    else if (before !== from && ![before, from].every((phase) => ["idle", "executing"].includes(String(phase)))) {
      illegal.push(`record ${seq}: from ${from} while it was ${before}`);
    }
    phases.set(boot, String(to));
  }
  return illegal;
}

/** Number of the record by which a boot left a phase; null if it never did. */
export function phaseLeft(records: readonly SeenRecord[], boot: string, phase: string): number | null {
  return transitionOf(records, boot, "from", phase);
}

/** Number of the record by which a boot reached a phase; null if it never did. */
export function phaseReached(records: readonly SeenRecord[], boot: string, phase: string): number | null {
  return transitionOf(records, boot, "to", phase);
}

function transitionOf(records: readonly SeenRecord[], boot: string, end: "from" | "to", phase: string): number | null {
  const transition = records.find(
    (record) => record.boot === boot && record.type === "lifecycle.changed" && record.body[end] === phase,
  );
  return transition?.seq ?? null;
}

export function bootsOf(records: readonly SeenRecord[]): string[] {
  return [...new Set(records.filter(({ type }) => type === "boot.started").map(({ boot }) => boot))];
}
