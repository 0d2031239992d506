/** Whether running programs see the same as they would if they were started now. */
import type { Standing } from "../gate-parts.ts";

/**
 * INVARIANT: one grant, two fences: if a policy shows children other places than before, programs that see the old
 * places are ended.
 */
export function isSameView(then: Standing | null, now: Standing): boolean {
  if (then?.sandbox === now.sandbox) return true;
  return JSON.stringify(then?.sandbox?.mounts) === JSON.stringify(now.sandbox?.mounts);
}
