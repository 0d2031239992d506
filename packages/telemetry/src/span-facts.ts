/** What a record says as a span, in plain data. The one place that knows the names of conventions. */
import { createHash } from "node:crypto";
import type { TypedRecord } from "@femtoclaw/protocol";

export interface SpanFacts {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly startUs: number;
  readonly endUs: number;
  readonly failed: boolean;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

/** Start of an execution by its intent's sequence number: the outcome's record alone does not have it. */
export type IntentLookup = (seq: number) => { readonly tool: string; readonly receivedUs: number } | undefined;

/** Undefined for records that are no span of their own, such as intents: a span is made when the execution ends. */
export function spanFacts(record: TypedRecord, intentOf: IntentLookup): SpanFacts | undefined {
  switch (record.type) {
    case "boot.started":
      return span(record, "femtoclaw.boot", {
        "femtoclaw.version": record.body.version,
        "femtoclaw.boot.previous_end": record.body.previous_end,
      });
    case "deployment.changed":
      return span(
        record,
        `femtoclaw.deployment ${record.body.change}`,
        { "femtoclaw.version": record.body.to.version, "femtoclaw.version.from": record.body.from?.version ?? "none" },
        { failed: record.body.reason !== undefined },
      );
    case "lifecycle.changed":
      return span(
        record,
        `femtoclaw.lifecycle ${record.body.to}`,
        {
          "femtoclaw.lifecycle.from": record.body.from,
          "femtoclaw.lifecycle.to": record.body.to,
          "femtoclaw.lifecycle.event": record.body.event,
        },
        { failed: record.body.fault !== undefined },
      );
    case "supervision.crashed":
      return span(
        record,
        "femtoclaw.supervision",
        { "femtoclaw.subsystem": record.body.subsystem, "error.type": record.body.code },
        { failed: true },
      );
    case "policy.activated":
      return span(record, "femtoclaw.policy activated", { "femtoclaw.policy.revision": record.body.revision });
    case "execution.refused":
      return span(record, toolSpan(record.body.tool ?? "unknown"), {
        ...toolAttributes(record, record.body.tool ?? "unknown"),
        "femtoclaw.decision": record.body.decision ?? "none",
        "error.type": record.body.error.code,
      });
    case "execution.outcome": {
      const intent = intentOf(record.body.intent);
      const tool = intent?.tool ?? "unknown";
      const { error } = record.body;
      const durationUs = intent === undefined ? record.body.duration_us : record.mono_us - intent.receivedUs;
      return span(
        record,
        toolSpan(tool),
        {
          ...toolAttributes(record, tool),
          "femtoclaw.decision": "AUTHORIZED",
          ...(error === undefined ? {} : { "error.type": error.code }),
        },
        { durationUs, failed: error !== undefined },
      );
    }
    case "execution.interrupted":
      return span(
        record,
        toolSpan(record.body.tool),
        { ...toolAttributes(record, record.body.tool), "error.type": "FEMTO_EXECUTION_INTERRUPTED" },
        { failed: true },
      );
    default:
      return undefined;
  }
}

const toolSpan = (tool: string): string => `execute_tool ${tool}`;

function toolAttributes(record: TypedRecord, tool: string): Record<string, string> {
  return {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": tool,
    "gen_ai.tool.call.id": record.execution ?? "",
    "gen_ai.conversation.id": record.session ?? "",
  };
}

/** Identifiers are derived from the record, so that exporting a record twice gives the same span. */
function span(
  record: TypedRecord,
  name: string,
  attributes: SpanFacts["attributes"],
  { durationUs = 0, failed = false }: { readonly durationUs?: number; readonly failed?: boolean } = {},
): SpanFacts {
  const endUs = Date.parse(`${record.at.slice(0, 23)}Z`) * 1000 + Number(record.at.slice(23, 26));
  return {
    name,
    traceId: digest(`t${record.session ?? record.boot}`).slice(0, 32),
    spanId: digest(`${record.boot}/${record.seq}`).slice(0, 16),
    startUs: endUs - Math.max(0, durationUs),
    endUs,
    failed,
    attributes: { ...attributes, "femtoclaw.record.seq": record.seq, "femtoclaw.boot.id": record.boot },
  };
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
