/** Whether what programs see is what they would see if they were started now. */
import type { Standing } from "./gate-parts.ts";

/** INVARIANT: one grant, two fences: a policy that shows children other places than before ends those that see the old ones. */
export function isSameView(then: Standing | null, now: Standing): boolean {
  if (then?.sandbox === now.sandbox) return true;
  return JSON.stringify(then?.sandbox?.mounts) === JSON.stringify(now.sandbox?.mounts);
}
