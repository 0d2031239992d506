/** The colour of a machine's state: the same wherever it is shown. */
import type { MachineName } from "../src/frames.ts";

export type Tone = "done" | "failed" | "running" | "message";

const GOOD = new Set(["ready", "committing", "active", "exporting"]);
const BAD = new Set(["failed", "full", "degraded"]);

const ENDING = new Set(["draining", "shuttingDown", "terminated"]);

/** `region` is what supervision says of the subsystem. */
export function subsystemTone(value: string, region: string): Tone {
  if (region !== "up" || BAD.has(value)) return "failed";
  return GOOD.has(value) ? "done" : "message";
}

/** Of any machine; what supervision says of the lifecycle counts for nothing, as it stands above all. */
export function machineTone(name: MachineName, value: string, regions: Readonly<Record<string, string>>): Tone {
  return name === "lifecycle" ? phaseTone(value) : subsystemTone(value, regions[name] ?? "up");
}

export function phaseTone(phase: string): Tone {
  if (phase === "error") return "failed";
  if (phase === "idle") return "done";
  return ENDING.has(phase) ? "message" : "running";
}
