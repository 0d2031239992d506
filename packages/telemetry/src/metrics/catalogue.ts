/**
 * All metrics, with their names, units and labels. The values of a label are from a closed set or names of registered
 * capabilities, never names of clients, files or agents.
 */
import { ATTRIBUTES as A } from "../conventions.ts";

export interface MetricDefinition {
  readonly name: string;
  readonly kind: "counter" | "gauge" | "histogram";
  /** In UCUM notation; a word in braces counts things. */
  readonly unit: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** All values of its only label, if they are few: each starts at 0, so that the first event is visible as a rise. */
  readonly values?: readonly string[];
}

const define = <T extends Readonly<Record<string, MetricDefinition>>>(definitions: T): T => definitions;

const counter = (name: string, unit: string, help: string, labels: readonly string[] = []): MetricDefinition => {
  return { name, kind: "counter", unit, help, labels };
};
const few = (name: string, unit: string, help: string, label: string, values: readonly string[]): MetricDefinition => {
  return { name, kind: "counter", unit, help, labels: [label], values };
};
const gauge = (name: string, unit: string, help: string, labels: readonly string[] = []): MetricDefinition => {
  return { name, kind: "gauge", unit, help, labels };
};
const seconds = (name: string, help: string, labels: readonly string[] = []): MetricDefinition => {
  return { name, kind: "histogram", unit: "s", help, labels };
};

const SUBSYSTEMS = ["memory", "registry", "policy", "observability"];

/** Folded from records, so that they include what happened before this process began, and continue after it ends. */
export const FOLDED = define({
  records: counter("femtoclaw.records", "{record}", "Records of the journal.", [A.recordType]),
  boots: few("femtoclaw.boots", "{boot}", "Starts of a host, by how the boot before ended.", A.previousEnd, [
    "none",
    "clean",
    "crash",
  ]),
  upgrades: counter("femtoclaw.upgrades", "{boot}", "Starts of another version than the one before."),
  faults: counter("femtoclaw.faults", "{fault}", "Faults that a host could not go on with."),
  crashes: few("femtoclaw.subsystem.crashes", "{crash}", "Failures of a subsystem.", A.subsystem, SUBSYSTEMS),
  restarts: few("femtoclaw.subsystem.restarts", "{restart}", "Restarts of a subsystem.", A.subsystem, SUBSYSTEMS),
  executions: counter("femtoclaw.executions", "{execution}", "Calls, by what became of them.", [
    A.tool,
    A.status,
    A.decision,
  ]),
  denials: counter("femtoclaw.denials", "{execution}", "Denied calls, by the kind of the rule and the error code.", [
    A.ruleKind,
    A.error,
  ]),
  failures: counter("femtoclaw.failures", "{execution}", "Permitted calls that failed, by error code.", [
    A.tool,
    A.error,
  ]),
  unrecorded: counter("femtoclaw.unrecorded", "{execution}", "Calls that were refused and not recorded singly.", [
    A.error,
  ]),
  messages: counter("femtoclaw.messages", "{message}", "Messages that were recorded and call nothing."),
  approvalsAsked: counter("femtoclaw.approvals.asked", "{approval}", "Questions to operators.", [A.tool]),
  approvalsAnswered: few("femtoclaw.approvals.answered", "{approval}", "Answers of operators.", A.answer, [
    "granted",
    "refused",
  ]),
  approvalsExpired: counter("femtoclaw.approvals.expired", "{approval}", "Questions that nobody answered in time."),
  sessions: few("femtoclaw.sessions.opened", "{session}", "Sessions, by the way they came.", A.channel, [
    "library",
    "agent",
    "operator",
  ]),
  halts: few("femtoclaw.sessions.halted", "{session}", "Sessions that were halted, by what halted them.", A.haltedBy, [
    "operator",
    "budget",
    "refusals",
  ]),
  terminals: counter("femtoclaw.terminals.opened", "{terminal}", "Terminals that were opened."),
  hops: few("femtoclaw.redirects", "{redirect}", "Redirects of fetches, by what was decided.", A.decision, [
    "allowed",
    "denied",
  ]),
  policies: counter("femtoclaw.policy.activations", "{policy}", "Policies that came into force."),
  policyRejections: counter("femtoclaw.policy.rejections", "{policy}", "Policies that were not taken.", [A.error]),
  degradations: counter("femtoclaw.telemetry.degradations", "{change}", "Times that export of telemetry degraded."),
  toolDuration: seconds("gen_ai.execute_tool.duration", "Time that the effect of a permitted call took.", [
    A.tool,
    A.status,
  ]),
  queueDuration: seconds(
    "femtoclaw.queue.duration",
    "Time from the arrival of a call to its intent, without those that waited for operators.",
    [A.tool],
  ),
});

/** Current values, or counts since this process began. */
export const LIVE = define({
  ready: gauge("femtoclaw.ready", "{host}", "1 while calls are taken, else 0."),
  bootTime: gauge("femtoclaw.boot.time", "s", "When this process began, as Unix time."),
  running: gauge("femtoclaw.executions.running", "{execution}", "Calls in the gate."),
  queued: gauge("femtoclaw.executions.queued", "{execution}", "Calls that wait to enter the gate."),
  unresolved: gauge("femtoclaw.executions.unresolved", "{execution}", "Calls of which nobody knows what became."),
  waiting: gauge("femtoclaw.approvals.waiting", "{approval}", "Questions that operators have not answered."),
  openSessions: gauge("femtoclaw.sessions.open", "{session}", "Open sessions."),
  openTerminals: gauge("femtoclaw.terminals.open", "{terminal}", "Terminals on which something runs."),
  journalRecords: gauge("femtoclaw.journal.size", "{record}", "Durable records of the journal."),
  journalBytes: gauge("femtoclaw.journal.disk", "By", "Bytes of the journal's files."),
  diskFree: gauge("femtoclaw.disk.free", "By", "Bytes free on the disk of the state directory, beside the reserve."),
  lag: gauge("femtoclaw.telemetry.lag", "{record}", "Records that were not sent yet, by signal.", [A.signal]),
  rejected: counter(
    "femtoclaw.telemetry.rejected",
    "{item}",
    "Items that the collector rejected for good, by signal.",
    [A.signal],
  ),
  appendDuration: seconds("femtoclaw.journal.append.duration", "Time from a record's number to its being durable."),
});

export type FoldedMetric = keyof typeof FOLDED;

/** Upper bounds of the buckets in microseconds, from an append to a disk up to a program that runs for minutes. */
export const BOUNDS_US = [
  100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
  5_000_000, 10_000_000, 30_000_000, 60_000_000, 300_000_000,
] as const;
