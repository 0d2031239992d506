/** What the records of an execution mean: which ones there are, and which intent an ending closes. */
import { recordedEvents } from "@femtoclaw/machines";
import { FemtoError, type TypedRecord } from "@femtoclaw/protocol";
import type { ExecutionPoint } from "./execution-table.ts";

export type ExecutionRecord = TypedRecord & {
  type:
    | "message.recorded"
    | `approval.${"asked" | "answered"}`
    | `execution.${"refused" | "intent" | "outcome" | "interrupted"}`;
};

/** A permitted execution that has no outcome yet. */
export interface OpenExecution {
  readonly intent: number;
  readonly tool: string;
  readonly session: string | null;
  readonly boot: string;
  readonly at: ExecutionPoint;
}

// INVARIANT: I2: an outcome closes the intent that it names, within the boot that wrote the intent. Only a later boot
// may call it interrupted.
export function requireOwnIntent(
  record: TypedRecord & { type: "execution.outcome" | "execution.interrupted" },
  known: OpenExecution,
): void {
  const { body, boot, session } = record;
  if (body.intent !== known.intent || session !== known.session) {
    throw corrupt(record, `the intent of its execution is record ${known.intent} of session ${known.session}`);
  }
  const fits =
    record.type === "execution.outcome"
      ? known.boot === boot
      : known.boot !== boot && known.boot === record.body.boot && known.tool === record.body.tool;
  if (!fits) throw corrupt(record, `the intent of its execution is of boot ${known.boot} and tool ${known.tool}`);
}

/** About how many execution events a record stands for; none if it is not about an execution. */
export function eventCount(record: TypedRecord): number {
  switch (record.type) {
    case "message.recorded":
    case "execution.refused":
    case "execution.intent":
    case "execution.outcome":
    case "execution.interrupted":
    case "approval.asked":
    case "approval.answered":
      return recordedEvents(record, "inputReceived").length;
    default:
      return 0;
  }
}

/** A record that cannot stand in its place. */
export function corrupt(record: TypedRecord, reason: string, cause?: unknown): FemtoError {
  return new FemtoError("FEMTO_JOURNAL_CORRUPT", `record ${record.seq} (${record.type}): ${reason}`, { cause });
}
