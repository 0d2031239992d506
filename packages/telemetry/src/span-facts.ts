/** Turns a record into a span, as plain data. */
import type { TypedRecord } from "@femtoclaw/protocol";
import { ATTRIBUTES as A, EXECUTE_TOOL, toolSpanName } from "./conventions.ts";
import { spanIdOf, told, wallUsOf } from "./record-identity.ts";
import { type Ancestry, ancestryOf, type RemoteParent } from "./trace-parent.ts";

export type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanFacts {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Null if the span begins its trace. */
  readonly parent: RemoteParent | null;
  readonly startUs: number;
  readonly endUs: number;
  readonly failed: boolean;
  readonly attributes: Attributes;
}

/** What earlier records contribute to a record, which does not repeat it. */
export interface Before {
  /** A record to which one of the batch refers, by its sequence number; undefined if it was pruned. */
  record(seq: number): TypedRecord | undefined;
  /** The version of the boot before the given one; null for the first boot, or if it is no longer known. */
  version(seq: number): string | null;
}

type Intent = (TypedRecord & { readonly type: "execution.intent" })["body"];

/** The intent of an outcome. */
export function intentOf({ body }: TypedRecord & { type: "execution.outcome" }, before: Before): Intent | undefined {
  const intent = before.record(body.intent);
  return intent?.type === "execution.intent" ? intent.body : undefined;
}

/** Undefined for records that make no span of their own: for an intent, the span is made when the execution ends. */
export function spanFacts(record: TypedRecord, before: Before): SpanFacts | undefined {
  const said = saidBy(record, before);
  return said === undefined ? undefined : { ...said, ...ancestryOf(record, before) };
}

/** The span without its trace and parent. */
function saidBy(record: TypedRecord, before: Before): Omit<SpanFacts, keyof Ancestry> | undefined {
  switch (record.type) {
    case "boot.started":
      return span(record, "femtoclaw.boot", bootAttributes(record, before));
    case "deployment.changed": {
      const { change, from, to, reason } = record.body;
      const attributes = { [A.version]: to.version, [A.versionBefore]: from?.version ?? "none" };
      return span(record, `femtoclaw.deployment ${change}`, attributes, {
        fault: reason === undefined ? undefined : record.body,
      });
    }
    case "lifecycle.changed": {
      const { event, from, to, fault } = record.body;
      const attributes = { [A.from]: from, [A.to]: to, [A.event]: event };
      return span(record, `femtoclaw.lifecycle ${to}`, { ...attributes, ...errorOf(fault) }, { fault });
    }
    case "supervision.crashed": {
      const { subsystem } = record.body;
      return span(
        record,
        "femtoclaw.supervision",
        { [A.subsystem]: subsystem, ...errorOf(record.body) },
        { fault: record.body },
      );
    }
    case "policy.activated":
      return span(record, "femtoclaw.policy activated", { [A.revision]: record.body.revision });
    case "execution.refused": {
      const { tool, decision, error } = record.body;
      const name = tool ?? "unknown";
      const attributes = { [A.decision]: decision ?? "none", ...errorOf(error) };
      return span(record, toolSpanName(told(name)), { ...toolAttributes(record, name), ...attributes });
    }
    case "execution.outcome": {
      const intent = intentOf(record, before);
      const tool = intent?.tool ?? "unknown";
      const { error } = record.body;
      // INVARIANT: durations are measured by the monotonic clock, which does not jump.
      const durationUs = intent === undefined ? record.body.duration_us : record.mono_us - intent.received_us;
      const attributes = { ...toolAttributes(record, tool), [A.decision]: "AUTHORIZED", ...errorOf(error) };
      return span(record, toolSpanName(told(tool)), attributes, { durationUs, fault: error });
    }
    case "execution.interrupted": {
      const { tool } = record.body;
      const fault = { code: "FEMTO_EXECUTION_INTERRUPTED" };
      return span(record, toolSpanName(told(tool)), { ...toolAttributes(record, tool), ...errorOf(fault) }, { fault });
    }
    default:
      return undefined;
  }
}

export function bootAttributes(record: TypedRecord & { type: "boot.started" }, before: Before): Attributes {
  const { version, previous_end } = record.body;
  const versionBefore = before.version(record.seq);
  return {
    [A.version]: version,
    [A.previousEnd]: previous_end,
    ...(versionBefore === null || versionBefore === version ? {} : { [A.versionBefore]: versionBefore }),
  };
}

export function errorOf(fault: { readonly code: string } | undefined): Attributes {
  return fault === undefined ? {} : { [A.error]: told(fault.code) };
}

export function toolAttributes({ execution, session }: TypedRecord, tool: string): Attributes {
  return {
    [A.operation]: EXECUTE_TOOL,
    [A.tool]: told(tool),
    [A.call]: execution ?? "",
    [A.conversation]: session ?? "",
  };
}

function span(
  record: TypedRecord,
  name: string,
  attributes: Attributes,
  { durationUs = 0, fault }: { readonly durationUs?: number; readonly fault?: object | undefined } = {},
): Omit<SpanFacts, keyof Ancestry> {
  const endUs = wallUsOf(record);
  return {
    name,
    spanId: spanIdOf(record),
    startUs: endUs - Math.max(0, durationUs),
    endUs,
    failed: fault !== undefined,
    attributes: { ...attributes, [A.seq]: record.seq, [A.boot]: record.boot },
  };
}
