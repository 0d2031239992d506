/** Which events of which machine a record stands for. */
import type { RecordBodies, TypedRecord } from "@femtoclaw/protocol";
import type { SubsystemName } from "./frames.ts";

export type ExecutionRecord = Extract<
  TypedRecord,
  {
    type:
      | "message.recorded"
      | `approval.${"asked" | "answered"}`
      | `execution.${"refused" | "intent" | "outcome" | "interrupted"}`;
  }
>;

/** Events of the execution that a record is of, which was in this state before it. */
export function executionEvents(record: ExecutionRecord, state: string): readonly string[] {
  const begun = state === "inputReceived" ? ["begin", "valid"] : [];
  switch (record.type) {
    case "message.recorded":
      return ["begin", "message", "committed"];
    case "approval.asked":
      return [...begun, "approvalRequired"];
    case "approval.answered":
      return record.body.complete ? [record.body.answer] : [];
    case "execution.intent":
      return [...begun, "permitted"];
    case "execution.refused":
      return [...refusalEvents(record.body.event, state), "committed"];
    case "execution.outcome":
      return record.body.began ? ["committed", record.body.event, "committed"] : [record.body.event, "committed"];
    case "execution.interrupted":
      return ["recovered", "committed"];
    default:
      return record satisfies never;
  }
}

function refusalEvents(event: RecordBodies["execution.refused"]["event"], state: string): readonly string[] {
  const isStopped = event === "halted" || event === "cancelled";
  if (state === "memoryCommitting") return [];
  if (state === "authorizationEvaluating") return isStopped ? ["permitted", event] : [event];
  if (state !== "inputReceived") return [event];
  if (isStopped) return ["begin", "valid", "permitted", event];
  return event === "denied" || event === "factsFailed" ? ["begin", "valid", event] : ["begin", event];
}

export interface SubsystemEvents {
  readonly machine: SubsystemName;
  readonly events: readonly string[];
}

/** Events of a subsystem; null for a record that is about none. */
export function subsystemEvents(record: TypedRecord): SubsystemEvents | null {
  switch (record.type) {
    case "registry.loaded":
      return { machine: "registry", events: ["load", ...record.body.capabilities.map(() => "declare"), "loaded"] };
    case "capability.enabled":
      return { machine: "registry", events: ["enable"] };
    case "capability.disabled":
      return { machine: "registry", events: ["disable"] };
    case "policy.activated":
      return { machine: "policy", events: ["propose", "activate"] };
    case "policy.rejected":
      return record.body.revision === null ? null : { machine: "policy", events: ["propose", "reject"] };
    case "memory.changed":
      return { machine: "memory", events: [record.body.state === "full" ? "exhausted" : "relieved"] };
    case "observability.started":
    case "observability.changed": {
      const works = record.type === "observability.started" ? "started" : "recovered";
      return { machine: "observability", events: [record.body.state === "degraded" ? "degraded" : works] };
    }
    default:
      return null;
  }
}
