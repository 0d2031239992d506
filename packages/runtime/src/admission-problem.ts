/** Whether the runtime takes calls at all, before anybody looks at one. */
import type { Problem } from "./gate/verdict.ts";
import type { Memory } from "./subsystems/memory.ts";
import type { Witnessing } from "./subsystems/witnessing.ts";

// INVARIANT: I3: calls are taken in `idle` and `executing` alone; every other phase refuses them, and so
// does a disk without the reserve, and a witness that is required and behind.
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
