/** Tells records of executions from others, and which subsystem events the others stand for. */
import type { TypedRecord } from "@femtoclaw/protocol";
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

export interface SubsystemEvents {
  readonly machine: SubsystemName;
  readonly events: readonly string[];
}

/** The events that a record means for a subsystem; null if it is about none. */
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
