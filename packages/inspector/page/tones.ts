/** The colours of machine states, the same wherever they are shown. */
import type { MachineName } from "../src/frames.ts";

export type Tone = "done" | "failed" | "running" | "message";

const GOOD = new Set(["ready", "committing", "active", "exporting"]);
const BAD = new Set(["failed", "full", "degraded"]);

const ENDING = new Set(["draining", "shuttingDown", "terminated"]);

/** `region` is the state of the subsystem's supervision. */
export function subsystemTone(value: string, region: string): Tone {
  if (region !== "up" || BAD.has(value)) return "failed";
  return GOOD.has(value) ? "done" : "message";
}

/** For any machine; the lifecycle is the root, so no supervision applies to it. */
export function machineTone(name: MachineName, value: string, regions: Readonly<Record<string, string>>): Tone {
  return name === "lifecycle" ? phaseTone(value) : subsystemTone(value, regions[name] ?? "up");
}

export function phaseTone(phase: string): Tone {
  if (phase === "error") return "failed";
  if (phase === "idle") return "done";
  return ENDING.has(phase) ? "message" : "running";
}
