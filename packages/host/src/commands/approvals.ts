/** `approvals`: what operators are asked, and their answers. Only the running host takes them. */
import { setTimeout as sleep } from "node:timers/promises";
import type { OperatorClient } from "@femtoclaw/client";
import { EXIT, printable } from "@femtoclaw/protocol";
import type { ApprovalView } from "@femtoclaw/runtime";
import { cardLines } from "../terminal/approval-text.ts";
import { table } from "../terminal/table.ts";
import type { CommandContext } from "./command-context.ts";

/** Pause between two looks of `watch`. */
const WATCH_MS = 500;

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
  const header = ["id", "tool", "asked by", "rule", "expires (UTC)"].map((name) => output.style("dim", name));
  const rows = approvals.map(({ id, tool, agent, channel, rule, expires_at }) => [
    output.style("bold", id),
    printable(tool, 40),
    printable(agent ?? channel ?? "", 40),
    printable(rule, 60),
    expires_at.slice(0, 19).replace("T", " "),
  ]);
  for (const line of table([header, ...rows])) output.line(line);
  output.talk("`femtoclaw approvals show ID` shows all of one, `approvals allow ID` or `approvals deny ID` answers it");
  return EXIT.ok;
}

export async function showApproval(context: CommandContext, id: string): Promise<number> {
  const { output } = context;
  await using operator = await context.operator();
  const approval = await approvalOf(operator, id);
  if (output.json) output.value(approval);
  else for (const line of cardLines(approval, output)) output.line(line);
  return EXIT.ok;
}

export interface AnswerOptions {
  readonly reason?: string;
  readonly session?: boolean;
  readonly digest?: string;
}

/** What is answered is what is shown here, or what the digest says: it may be something else by now. */
export async function answerApproval(
  context: CommandContext,
  id: string,
  answer: "granted" | "refused",
  options: AnswerOptions,
): Promise<number> {
  const { output } = context;
  await using operator = await context.operator();
  const approval = await approvalOf(operator, id);
  if (!output.json) for (const line of cardLines(approval, output)) output.talk(line);
  const scope = options.session === true ? "session" : "once";
  const { seq, complete } = await operator.answerApproval({
    ...{ approval: id, digest: options.digest ?? approval.digest, answer, scope },
    ...(options.reason === undefined ? {} : { reason: options.reason }),
  });
  const { execution_id } = approval;
  if (output.json) output.value({ id, execution_id, answer, complete, record: { seq } });
  else if (!complete) output.line(`recorded in record ${seq}; more operators have to say yes`);
  else if (answer === "refused") output.line(`denied in record ${seq}`);
  else output.line(`allowed in record ${seq}; \`femtoclaw executions show ${execution_id}\` shows what came of it`);
  return EXIT.ok;
}

/** Shows each question once, as it is asked, until it is interrupted or the host ends. */
export async function watchApprovals(context: CommandContext): Promise<number> {
  const { output } = context;
  await using operator = await context.operator();
  const seen = new Set<string>();
  output.talk("waiting for questions; Ctrl-C ends");
  let ended = false;
  void operator.closed.then(() => {
    ended = true;
  });
  while (!ended) {
    for (const approval of await approvalsOf(operator)) {
      if (seen.has(approval.id)) continue;
      seen.add(approval.id);
      if (output.json) output.value(approval);
      else for (const line of [...cardLines(approval, output), ""]) output.line(line);
    }
    await Promise.race([sleep(WATCH_MS), operator.closed]);
  }
  return EXIT.ok;
}

async function approvalsOf(operator: OperatorClient): Promise<ApprovalView[]> {
  return (await operator.approvals()) as ApprovalView[];
}

async function approvalOf(operator: OperatorClient, id: string): Promise<ApprovalView> {
  return (await operator.approval(id)) as ApprovalView;
}
