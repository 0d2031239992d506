/** Decides whether the runtime takes calls at all, before anybody looks at a single one. */
import type { Problem } from "./gate/verdict.ts";
import type { Memory } from "./subsystems/memory.ts";
import type { Witnessing } from "./subsystems/witnessing.ts";

// INVARIANT: I3: calls are taken only in the phases `idle` and `executing`. Every other phase refuses them, and so do a
// disk without its reserve and a required witness that is behind.
export function admissionProblem(
  phase: string,
  memory: Pick<Memory, "space"> | null,
  witnessing: Pick<Witnessing, "problem"> | null,
): Problem | null {
  if (phase !== "idle" && phase !== "executing") {
    return { code: "FEMTO_DRAINING", reason: `the runtime is in phase ${phase} and takes no calls` };
  }
  const full = memory?.space.full ?? null;
  if (full !== null) return { code: "FEMTO_DISK_FULL", reason: `the journal's disk is full: ${full}` };
  return witnessing?.problem ?? null;
}
