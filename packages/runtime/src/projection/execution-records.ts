/** What the records of an execution mean: which events they stand for, and which intent an ending closes. */
import type { ExecutionState } from "@femtoclaw/machines";
import { type ExecutionRefusedBody, FemtoError, type TypedRecord } from "@femtoclaw/protocol";
import type { ExecutionEventType, ExecutionPoint } from "./execution-table.ts";

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

// INVARIANT: I2: an outcome closes the intent that it names, in the boot that wrote it; only a later boot
// calls one interrupted.
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

/** The machine events that a record of an execution stands for, which was in this state before it. */
export function eventsOf(record: ExecutionRecord, state: ExecutionState): readonly ExecutionEventType[] {
  // After a question the execution has been begun and validated by the record that asks.
  const isFirst = state === "inputReceived";
  const begun: readonly ExecutionEventType[] = isFirst ? ["begin", "valid"] : [];
  switch (record.type) {
    case "message.recorded":
      return ["begin", "message", "committed"];
    case "approval.asked":
      return [...begun, "approvalRequired"];
    case "approval.answered":
      return record.body.complete ? [record.body.answer] : [];
    case "execution.refused":
      return [...refusalEvents(record.body.event, state), "committed"];
    case "execution.intent":
      return [...begun, "permitted"];
    case "execution.outcome":
      return record.body.began ? ["committed", record.body.event, "committed"] : [record.body.event, "committed"];
    case "execution.interrupted":
      return ["recovered", "committed"];
    default:
      return record satisfies never;
  }
}

function refusalEvents(event: ExecutionRefusedBody["event"], state: ExecutionState): readonly ExecutionEventType[] {
  switch (state) {
    case "inputReceived":
      if (event === "denied" || event === "factsFailed") return ["begin", "valid", event];
      if (event === "halted" || event === "cancelled") return ["begin", "valid", "permitted", event];
      return ["begin", event];
    case "authorizationEvaluating":
      return event === "halted" || event === "cancelled" ? ["permitted", event] : [event];
    case "memoryCommitting":
      // The answer that refused it has been recorded.
      return [];
    default:
      return [event];
  }
}

/** How many events of executions a record stands for, about; none for one that is about no execution. */
export function eventCount(record: TypedRecord): number {
  switch (record.type) {
    case "message.recorded":
    case "execution.refused":
    case "execution.intent":
    case "execution.outcome":
    case "execution.interrupted":
    case "approval.asked":
    case "approval.answered":
      return eventsOf(record, "inputReceived").length;
    default:
      return 0;
  }
}

/** A record that cannot stand where it stands. */
export function corrupt(record: TypedRecord, reason: string): FemtoError {
  return new FemtoError("FEMTO_JOURNAL_CORRUPT", `record ${record.seq} (${record.type}): ${reason}`);
}
