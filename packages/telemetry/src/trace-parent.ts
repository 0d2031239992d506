/**
 * The trace and the parent of a record's span: the caller's if the proposal came with them, else the session's own
 * trace.
 */
import type { TraceContext, TypedRecord } from "@femtoclaw/protocol";
import { traceIdOf } from "./record-identity.ts";
import type { Before } from "./span-facts.ts";

/** A span that somebody else has made. */
export interface RemoteParent {
  readonly spanId: string;
  readonly state: string | undefined;
}

export interface Ancestry {
  readonly traceId: string;
  readonly parent: RemoteParent | null;
}

export function ancestryOf(record: TypedRecord, before: Before): Ancestry {
  const trace = traceOf(record, before);
  const [, traceId, spanId] = trace?.traceparent?.split("-") ?? [];
  if (traceId === undefined || spanId === undefined) return { traceId: traceIdOf(record), parent: null };
  return { traceId, parent: { spanId, state: trace?.tracestate } };
}

function traceOf(record: TypedRecord, before: Before): TraceContext | undefined {
  switch (record.type) {
    case "execution.refused":
    case "approval.asked":
      return record.body.trace;
    case "execution.outcome":
    case "execution.interrupted":
      return before.intent(record.body.intent)?.trace;
    default:
      return undefined;
  }
}
