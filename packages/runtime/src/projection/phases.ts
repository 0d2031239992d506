/** What the machines of a boot must have reached before its lifecycle may go on. */
import type { Phase } from "@femtoclaw/machines";

export const MACHINE_NAMES = ["lifecycle", "memory", "registry", "policy", "observability"] as const;
export type MachineName = (typeof MACHINE_NAMES)[number];

/** The states in which a subsystem is ready, by the event that says so. */
export const READY_STATES: Readonly<
  Record<string, { readonly machine: MachineName; readonly states: readonly string[] }>
> = {
  "memory.ready": { machine: "memory", states: ["ready", "full"] },
  "registry.ready": { machine: "registry", states: ["ready"] },
  "policy.ready": { machine: "policy", states: ["active"] },
  "observability.ready": { machine: "observability", states: ["exporting", "degraded"] },
};

/** `idle` and `executing` are the same to a writer: it cannot know yet which earlier intents will become durable. */
export function isSamePhase(left: Phase, right: Phase): boolean {
  const phase = (name: Phase): Phase => (name === "executing" ? "idle" : name);
  return phase(left) === phase(right);
}
