/** What the machines of a boot must have reached before its lifecycle may go on. */
import type { Phase } from "@femtoclaw/machines";

export const MACHINE_NAMES = ["lifecycle", "memory", "registry", "policy", "observability"] as const;
export type MachineName = (typeof MACHINE_NAMES)[number];

interface Ready {
  readonly machine: MachineName;
  readonly states: readonly string[];
}

/**
 * The states in which a subsystem is ready, by the event that says so. It is a map, because a record may hold any text as
 * its event, and an object also has the names that all objects inherit.
 */
export const READY_STATES: ReadonlyMap<string, Ready> = new Map<string, Ready>([
  ["memory.ready", { machine: "memory", states: ["ready", "full"] }],
  ["registry.ready", { machine: "registry", states: ["ready"] }],
  ["policy.ready", { machine: "policy", states: ["active"] }],
  ["observability.ready", { machine: "observability", states: ["exporting", "degraded"] }],
]);

/** `idle` and `executing` are the same to a writer: it cannot know yet which earlier intents will become durable. */
export function isSamePhase(left: Phase, right: Phase): boolean {
  const phase = (name: Phase): Phase => (name === "executing" ? "idle" : name);
  return phase(left) === phase(right);
}
