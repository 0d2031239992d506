/** `approvals`: shows the questions for operators, and answers them. Both go through the running host. */
import { resolve } from "node:path";
import type { OperatorClient } from "@femtoclaw/client";
import { type Answered, type ApprovalCard, EXIT, FemtoError, printable } from "@femtoclaw/protocol";
import { cardLines } from "../../terminal/approval-text.ts";
import { fittingTable } from "../../terminal/table.ts";
import type { CommandContext } from "../command-context.ts";

export async function listApprovals(context: CommandContext): Promise<number> {
  const { output } = context;
  await using operator = await context.operator();
  const approvals = await approvalsOf(operator);
  if (output.json) {
    output.value(approvals);
    return EXIT.ok;
  }
  if (approvals.length === 0) {
    output.talk("nothing is asked");
    return EXIT.ok;
  }
  const names = ["id", "tool", "asked by", "rule", "yes", "expires (UTC)"];
  const header = names.map((name) => output.style("dim", name));
  const rows = approvals.map(({ id, tool, principal, agent, rule, granted, approvers, expires_at }) => [
    output.style("bold", id),
    printable(tool, 40),
    // The principal is who asks. The name behind it is what the client calls itself.
    printable(agent === null ? principal : `${principal} ${JSON.stringify(agent)}`, 40),
    printable(rule, 60),
    `${granted.length} of ${approvers}`,
    expires_at.slice(0, 19).replace("T", " "),
  ]);
  const { dataColumns: columns } = output;
  for (const line of fittingTable([header, ...rows], { columns, leaveOut: [4, 2], cut: 3 })) output.line(line);
  output.talk("`femtoclaw approvals show ID` shows all of one, `approvals allow ID` or `approvals deny ID` answers it");
  return EXIT.ok;
}

export async function showApproval(context: CommandContext, id: string): Promise<number> {
  const { output } = context;
  await using operator = await context.operator();
  const approval = await operator.approval(id);
  if (output.json) output.value(approval);
  else for (const line of cardLines(approval, output)) output.line(line);
  return EXIT.ok;
}

export interface AnswerOptions {
  readonly reason?: string;
  readonly session?: boolean;
  /** After the answer is given, propose to write it as a rule. */
  readonly rule?: boolean;
  readonly digest?: string;
  /** File of the operator's private key. */
  readonly key?: string;
}

/**
 * Answers the question as it is shown here, or as `--digest` names it. If the question asks about something else by
 * now, the host refuses the answer.
 */
export async function answerApproval(
  context: CommandContext,
  id: string,
  answer: "granted" | "refused",
  options: AnswerOptions,
): Promise<number> {
  const { output } = context;
  if (options.rule === true && output.json) {
    throw new FemtoError("FEMTO_USAGE", "a rule is read by a person before it is written: `policy allow` has --json");
  }
  const exit = await give(context, id, answer, options);
  if (options.rule !== true) return exit;
  const { policyAllow } = await import("../policy/policy-allow.ts");
  return await policyAllow(context, id, {});
}

async function give(
  context: CommandContext,
  id: string,
  answer: "granted" | "refused",
  options: AnswerOptions,
): Promise<number> {
  const { output } = context;
  await using operator = await context.operator();
  const approval = await operator.approval(id);
  if (!output.json) for (const line of cardLines(approval, output)) output.talk(line);
  const scope = options.session === true ? "session" : "once";
  const said = options.reason === undefined ? {} : { reason: options.reason };
  if (options.key === undefined) {
    const digest = options.digest ?? approval.digest;
    return told(context, await operator.answerApproval({ approval: id, digest, answer, scope, ...said }));
  }
  if (options.digest !== undefined && options.digest !== approval.digest) {
    throw new FemtoError("FEMTO_APPROVAL_MISMATCH", `question ${printable(id, 32)} asks about something else`);
  }
  const key = resolve(context.cwd, options.key);
  const { signCard } = await import("../../operators/sign-card.ts");
  return told(context, await operator.answerSigned(await signCard(approval, { answer, scope, key, ...said })));
}

/** Tells what became of an answer. */
export function told({ output }: CommandContext, answered: Answered): number {
  const { seq, complete, id, execution_id, answer, granted, approvers } = answered;
  if (output.json) output.value({ id, execution_id, answer, complete, granted, approvers, record: { seq } });
  else if (!complete)
    output.prose(`recorded in record ${seq}; ${granted.length} of ${approvers} operators have said yes`);
  else if (answer === "refused") output.prose(`denied in record ${seq}`);
  else output.prose(`allowed in record ${seq}; \`femtoclaw executions show ${id}\` shows what came of it`);
  return EXIT.ok;
}

async function approvalsOf(operator: OperatorClient): Promise<ApprovalCard[]> {
  const all: ApprovalCard[] = [];
  for await (const approval of operator.allApprovals()) all.push(approval);
  return all;
}
