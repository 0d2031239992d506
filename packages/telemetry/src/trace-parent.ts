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

/** The trace stands in the first record of a call alone, so the references of later ones are followed to it. */
function traceOf(record: TypedRecord, before: Before): TraceContext | undefined {
  if ("trace" in record.body) return record.body.trace;
  const earlier = before.record(referenceOf(record) ?? record.seq);
  return earlier === undefined || earlier.seq >= record.seq ? undefined : traceOf(earlier, before);
}

/** The earlier record about the same call that a record refers to; null if it refers to none. */
export function referenceOf(record: TypedRecord): number | null {
  switch (record.type) {
    case "execution.outcome":
    case "execution.interrupted":
      return record.body.intent;
    case "approval.answered":
      return record.body.question;
    case "execution.resolved":
      return record.body.interrupted;
    default:
      return null;
  }
}
