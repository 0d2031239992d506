/** Whether a session is halted, by its records, and the record that halts one whose budget is used up. */
import type { JournalEntry } from "@femtoclaw/journal";
import { BUDGET_RULES, printable, type SessionId } from "@femtoclaw/protocol";
import type { SessionHistories } from "../../projection/session-histories.ts";
import type { Execution } from "../execution.ts";
import type { Problem } from "../verdict.ts";

/** Why the session may begin nothing more; null while it may. */
export function haltOf(histories: SessionHistories, session: SessionId): Problem | null {
  const halted = histories.of(session)?.halted;
  if (halted == null) return null;
  const { seq, code, reason } = halted;
  const by = reason === null ? `its calls were refused too often, at last with ${code}` : printable(reason);
  return { code: "FEMTO_SESSION_HALTED", reason: `this session was halted in record ${seq}: ${by}` };
}

/**
 * The record that halts a session whose budget is used up. Null if calls that still run may give some of the budget
 * back, or if the session is halted already.
 */
export function budgetHalt(
  { session, actor, rules, quota, standing }: Execution,
  histories: SessionHistories,
): JournalEntry | null {
  const { budgets = {} } = standing?.authority ?? {};
  const { calls, bytes, seconds } = BUDGET_RULES;
  const spent = rules.filter((rule) => {
    if (rule === bytes) return histories.settledBytes(session) >= (budgets.bytes?.limit ?? 0);
    return rule === calls || rule === seconds;
  });
  if (spent.length === 0 || haltOf(histories, session) !== null) return null;
  const reason = `its ${spent.join(" and ")} is used up`;
  const body = { recorded: quota.recorded, event: "denied", code: "FEMTO_BUDGET_EXCEEDED", reason };
  return { type: "session.halted", actor, session, execution: null, body };
}
