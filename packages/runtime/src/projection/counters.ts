/** How many executions of this journal ended in which way. */
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
