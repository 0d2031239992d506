/** Restores a call that waited from its record: what runs is the host's own copy of what operators said yes to. */
import { Buffer } from "node:buffer";
import { DecisionShare } from "@femtoclaw/policy/live";
import type { DecisionCode, RecordActor, SessionId } from "@femtoclaw/protocol";
import { type Execution, newExecution } from "../execution.ts";
import type { GateParts } from "../gate-parts.ts";
import type { Problem } from "../verdict.ts";
import type { Settlement } from "./questions.ts";
import type { WaitingCall } from "./waiting-call.ts";

/**
 * The returned execution is ready to be examined and decided anew. Its `lost` says why it cannot go on, whatever was
 * answered.
 */
export async function revive(call: WaitingCall, parts: GateParts): Promise<Execution> {
  const { record, erased } = await parts.question(call.seq);
  const { tool, args: recorded, label, trace = null, facts, rules, revision } = record.body;
  const isRedacted = record.redactions?.some(({ path }) => path === "/args" || path.startsWith("/args/")) === true;
  const args = call.secretArgs ?? recorded;
  const session = call.session as SessionId;
  const came = {
    id: call.execution,
    leave: () => undefined,
    label,
    trace,
    waited: call,
    lost: lossOf({
      isOver: call.deadlineUs <= parts.clock.monotonicUs(),
      isVoid: call.granted.length < call.approvers,
      isErased: erased.length > 0 || args === null,
      isSecret: isRedacted && call.secretArgs === null,
    }),
    receivedUs: parts.clock.monotonicUs(),
    release: null,
  };
  const execution = newExecution(came, {
    session,
    actor: record.actor as RecordActor,
    quota: parts.quota(session),
    share: new DecisionShare(),
    introduce: () => parts.histories.of(session) !== undefined,
    bytes: Buffer.from(JSON.stringify({ tool_call: { tool, args } })),
  });
  execution.call = { tool, args: args ?? {} };
  execution.facts = facts;
  execution.revision = revision;
  execution.rules = rules;
  return execution;
}

// INVARIANT: a yes is worth nothing if the call gets to its effect only after the question's time is over, or if the
// key behind the yes is no longer in force.
function lossOf(what: { isOver: boolean; isVoid: boolean; isErased: boolean; isSecret: boolean }): Execution["lost"] {
  if (what.isOver) {
    const reason = "the host ended before the call could go on, and the time for it is over";
    return { event: "denied", problem: { code: "FEMTO_APPROVAL_EXPIRED", reason } };
  }
  if (what.isVoid) {
    const reason = "the host was restarted before the call could go on, and not every yes to it counts any more";
    return { event: "denied", problem: { code: "FEMTO_APPROVAL_EXPIRED", reason } };
  }
  if (!what.isErased && !what.isSecret) return null;
  const reason = what.isErased
    ? "the values of this call were erased while it waited"
    : "this call holds secrets, which are kept nowhere, and the host was restarted while it waited";
  return { event: "factsFailed", problem: { code: "FEMTO_FACTS_FAILED", reason: `${reason}; send it again` } };
}

/** What the proposer is told if a question was not settled by a yes. */
export function settledProblem(
  how: Exclude<Settlement, "granted">,
  reason: string,
): { readonly problem: Problem; readonly decision: DecisionCode } {
  switch (how) {
    case "refused":
      return { problem: { code: "FEMTO_APPROVAL_REFUSED", reason }, decision: "DENIED_POLICY_VIOLATION" };
    case "expired":
      return { problem: { code: "FEMTO_APPROVAL_EXPIRED", reason }, decision: "DENIED_POLICY_VIOLATION" };
    // No decision was made about the call.
    case "cancelled":
    case "halted":
      return { problem: { code: "FEMTO_EXECUTION_HALTED", reason }, decision: null };
  }
}
