/** The colour of a machine's state: the same wherever it is shown. */
export type Tone = "done" | "failed" | "running" | "message";

const GOOD = new Set(["ready", "committing", "active", "exporting"]);
const BAD = new Set(["failed", "full", "degraded"]);

const ENDING = new Set(["draining", "shuttingDown", "terminated"]);

/** `region` is what supervision says of the subsystem. */
export function subsystemTone(value: string, region: string): Tone {
  if (region !== "up" || BAD.has(value)) return "failed";
  return GOOD.has(value) ? "done" : "message";
}

export function phaseTone(phase: string): Tone {
  if (phase === "error") return "failed";
  if (phase === "idle") return "done";
  return ENDING.has(phase) ? "message" : "running";
}
