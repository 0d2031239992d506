/** How many executions ended in which way, over the whole log. */
export type Counters = Readonly<
  Record<"messages" | "completed" | "refused" | "failed" | "interrupted" | "overloaded", number>
>;

export const ZERO_COUNTERS: Counters = {
  messages: 0,
  completed: 0,
  refused: 0,
  failed: 0,
  interrupted: 0,
  overloaded: 0,
};

export function counted(before: Counters, name: keyof Counters, count = 1): Counters {
  const counters: Record<keyof Counters, number> = { ...before };
  counters[name] += count;
  return counters;
}
