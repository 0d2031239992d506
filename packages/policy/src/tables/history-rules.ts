/** Rules about what happened before: the budgets of a session. */
import { type Authority, BUDGET_RULES } from "@femtoclaw/protocol";
import type { PolicyAction } from "../schema.ts";
import { policyText } from "./cedar-text.ts";
import type { CompiledRule } from "./table-rule.ts";

const BUDGETED = {
  calls: "calls of the session",
  bytes: "bytes that the session's calls send and get back",
  seconds: "seconds from the session's first call on",
} as const;

/**
 * INVARIANT: a budget forbids whatever else permits a call, beginning with the first call that finds the budget used
 * up.
 */
export function budgetRules({ budgets = {} }: Authority, actions: readonly PolicyAction[]): CompiledRule[] {
  if (actions.length === 0) return [];
  return (["calls", "bytes", "seconds"] as const).flatMap((name) => {
    const budget = budgets[name];
    if (budget === undefined) return [];
    const condition = `context.session.${name} >= ${budget.limit}`;
    return [
      {
        id: BUDGET_RULES[name],
        text: policyText({
          effect: "forbid",
          actions: actions.map((action) => action.name),
          clause: { kind: "when", condition },
        }),
        source: budget.source,
        reason: `no more than ${budget.limit} ${BUDGETED[name]}`,
        fix: `raise [budgets].${name}, or go on in a new session`,
      },
    ];
  });
}
