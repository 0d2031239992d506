/**
 * Which events of the execution machine a record stands for. This is defined only here, because everybody who folds
 * records has to read them alike: the runtime, and the page that draws what it did. It does not need XState.
 */
import type { ApprovalAnsweredBody, ExecutionOutcomeBody, ExecutionRefusedBody } from "@femtoclaw/protocol/types";
import type { ExecutionEvent } from "./execution.ts";

type EventType = ExecutionEvent["type"];

/** The parts of an execution's record that matter here. */
export type ExecutionStep =
  | { readonly type: "message.recorded" | "approval.asked" | "execution.intent" | "execution.interrupted" }
  | { readonly type: "approval.answered"; readonly body: Pick<ApprovalAnsweredBody, "answer" | "complete"> }
  | { readonly type: "execution.refused"; readonly body: Pick<ExecutionRefusedBody, "event"> }
  | { readonly type: "execution.outcome"; readonly body: Pick<ExecutionOutcomeBody, "event" | "began"> };

/** The events in order, for an execution that was in `state` before the record. */
export function recordedEvents(record: ExecutionStep, state: string): readonly EventType[] {
  // After a question, the record that asked has already begun and validated the execution.
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
      // The answer that refused the call has been recorded already.
      return [];
    default:
      return [event];
  }
}
