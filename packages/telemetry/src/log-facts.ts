/**
 * Turns a record into a log line, as plain data: the life of the host, denials, and failures. A line says what happened
 * and where the record stands; details are in the journal alone.
 */
import type { RecordType, TypedRecord } from "@femtoclaw/protocol";
import { ATTRIBUTES as A } from "./conventions.ts";
import { spanIdOf, told, wallUsOf } from "./record-identity.ts";
import { type Attributes, type Before, bootAttributes, errorOf, intentOf, toolAttributes } from "./span-facts.ts";
import { ancestryOf } from "./trace-parent.ts";

export type Severity = "INFO" | "WARN" | "ERROR";

export interface LogFacts {
  /** `femtoclaw.` and the type of the record, except for events in the life of a host. */
  readonly event: string;
  readonly severity: Severity;
  readonly text: string;
  readonly timeUs: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: Attributes;
}

/** A line before it is attributed to its record. */
interface Line {
  readonly event?: string;
  readonly severity: Severity;
  readonly text: string;
  readonly attributes?: Attributes;
}

type Lines = {
  readonly [K in RecordType]?: (record: TypedRecord & { readonly type: K }, before: Before) => Line | undefined;
};

const info = (text: string, attributes: Attributes = {}): Line => ({ severity: "INFO", text, attributes });
const warn = (text: string, attributes: Attributes = {}): Line => ({ severity: "WARN", text, attributes });
const error = (text: string, attributes: Attributes = {}): Line => ({ severity: "ERROR", text, attributes });

/**
 * INVARIANT: the degradation and recovery of exports makes no line: exporting that line could cause the next change,
 * without end.
 */
const LINES: Lines = {
  "boot.started": boot,
  "lifecycle.changed": lifecycle,
  "supervision.crashed": ({ body }) => {
    const attributes = { [A.subsystem]: body.subsystem, ...errorOf(body) };
    return error(`the subsystem ${body.subsystem} failed: ${body.decision}`, attributes);
  },
  "supervision.restarted": ({ body }) =>
    info(`the subsystem ${body.subsystem} runs again`, { [A.subsystem]: body.subsystem }),
  "policy.activated": ({ body }) => info("a policy came into force", { [A.revision]: body.revision }),
  "policy.rejected": ({ body }) => warn("a policy was not taken", errorOf(body)),
  "execution.refused": (record) => {
    const { tool, decision, error: fault } = record.body;
    const attributes = { ...toolAttributes(record, tool ?? "unknown"), [A.decision]: decision ?? "none" };
    return warn("a call was refused", { ...attributes, ...errorOf(fault) });
  },
  "approval.asked": (record) => info("a call waits for operators", toolAttributes(record, record.body.tool)),
  "approval.answered": (record) => {
    const { tool, answer } = record.body;
    return info("an operator answered", { ...toolAttributes(record, tool), [A.answer]: answer });
  },
  "execution.outcome": (record, before) => {
    const { error: fault } = record.body;
    if (fault === undefined) return undefined;
    const tool = intentOf(record, before)?.tool ?? "unknown";
    return warn("a permitted call failed", { ...toolAttributes(record, tool), ...errorOf(fault) });
  },
  "execution.interrupted": (record) =>
    error("nobody knows what became of a permitted call", toolAttributes(record, record.body.tool)),
  "execution.inherited": (record) =>
    warn("nobody knows what became of a call of the log before", toolAttributes(record, record.body.tool)),
  "execution.resolved": (record) =>
    info("an operator said what became of a call", toolAttributes(record, record.body.tool)),
  "overload.refused": ({ body }) => warn(`${body.count} calls were refused and not recorded singly`, errorOf(body)),
  "session.halted": (record) =>
    warn("a session was halted", { [A.conversation]: record.session ?? "", ...errorOf(record.body) }),
  "memory.changed": ({ body }) =>
    body.state === "full" ? error("the journal's disk is full") : info("the journal's disk has room again"),
  "capability.enabled": ({ body }) => info("an operator enabled a capability", { [A.tool]: told(body.name) }),
  "capability.disabled": ({ body }) => info("an operator disabled a capability", { [A.tool]: told(body.name) }),
  "key.rotated": () => info("another key signs the log"),
  "epoch.opened": () => warn("a log began that continues another"),
  "values.erased": () => warn("an operator erased values"),
  "log.pruned": ({ body }) => warn(`an operator dropped ${body.records} of the oldest records`),
};

/** Undefined for records that make no line. */
export function logFacts(record: TypedRecord, before: Before): LogFacts | undefined {
  const lineOf = LINES[record.type] as ((record: TypedRecord, before: Before) => Line | undefined) | undefined;
  const line = lineOf?.(record, before);
  if (line === undefined) return undefined;
  const { event = `femtoclaw.${record.type}`, severity, text, attributes } = line;
  return {
    event,
    severity,
    text,
    timeUs: wallUsOf(record),
    traceId: ancestryOf(record, before).traceId,
    spanId: spanIdOf(record),
    attributes: { ...attributes, [A.seq]: record.seq, [A.boot]: record.boot },
  };
}

function boot(record: TypedRecord & { type: "boot.started" }, before: Before): Line {
  const { version, previous_end } = record.body;
  const attributes = bootAttributes(record, before);
  const versionBefore = attributes[A.versionBefore];
  if (versionBefore !== undefined) {
    return { ...info(`version ${version} begins, after ${versionBefore}`, attributes), event: "femtoclaw.upgraded" };
  }
  if (previous_end === "none") return { ...info("a host begins", attributes), event: "femtoclaw.started" };
  const restarted = previous_end === "crash" ? warn("a host begins after a crash") : info("a host begins anew");
  return { ...restarted, event: "femtoclaw.restarted", attributes };
}

function lifecycle({ body }: TypedRecord & { type: "lifecycle.changed" }): Line | undefined {
  const { from, to, event, fault } = body;
  const attributes = { [A.from]: from, [A.to]: to, [A.event]: event, ...errorOf(fault) };
  if (fault !== undefined || to === "error") {
    return { ...error(`the host failed in ${from}`, attributes), event: "femtoclaw.failed" };
  }
  if (to === "idle" && from === "startingObservability") {
    return { ...info("the host takes calls", attributes), event: "femtoclaw.ready" };
  }
  if (to === "draining") return { ...info("the host takes no more calls", attributes), event: "femtoclaw.draining" };
  if (to === "shuttingDown") return { ...info("the host ends", attributes), event: "femtoclaw.shutdown" };
  return undefined;
}
