/**
 * Which events of the execution machine a record stands for. It is said here, and once, because whoever folds records has to
 * read them alike: the runtime, and the page that draws what it did. It needs no XState.
 */
import type { ApprovalAnsweredBody, ExecutionOutcomeBody, ExecutionRefusedBody } from "@femtoclaw/protocol/types";
import type { ExecutionEvent } from "./execution.ts";

type EventType = ExecutionEvent["type"];

/** What counts of a record of an execution. */
export type ExecutionStep =
  | { readonly type: "message.recorded" | "approval.asked" | "execution.intent" | "execution.interrupted" }
  | { readonly type: "approval.answered"; readonly body: Pick<ApprovalAnsweredBody, "answer" | "complete"> }
  | { readonly type: "execution.refused"; readonly body: Pick<ExecutionRefusedBody, "event"> }
  | { readonly type: "execution.outcome"; readonly body: Pick<ExecutionOutcomeBody, "event" | "began"> };

/** In their order, for an execution that was in this state before the record. */
export function recordedEvents(record: ExecutionStep, state: string): readonly EventType[] {
  // After a question the execution has been begun and validated by the record that asks.
  const begun: readonly EventType[] = state === "inputReceived" ? ["begin", "valid"] : [];
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

function refusalEvents(event: ExecutionRefusedBody["event"], state: string): readonly EventType[] {
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
