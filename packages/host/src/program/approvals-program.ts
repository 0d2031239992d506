/** The command line of `approvals`. */
import type { Command } from "commander";
import type { AnswerOptions } from "../commands/approvals/approvals.ts";
import type { SignOptions } from "../commands/approvals/signed-approvals.ts";
import type { Runner } from "../commands/command-context.ts";

export function addApprovalCommands(program: Command, run: Runner): void {
  const commands = () => import("../commands/approvals/approvals.ts");
  const approvals = program.command("approvals").description("calls that wait for an operator's answer");
  approvals
    .command("list")
    .description("list open questions, oldest first")
    .action(() => run(async (context) => (await commands()).listApprovals(context)));
  approvals
    .command("show")
    .argument("<id>", "identifier of the question")
    .description("show everything that would run")
    .action((id: string) => run(async (context) => (await commands()).showApproval(context, id)));
  for (const [verb, answer, what] of [
    ["allow", "granted", "say yes: the call runs once, if policy and facts have not changed"],
    ["deny", "refused", "say no: the call is denied"],
  ] as const) {
    const command = approvals
      .command(verb)
      .argument("<id>", "identifier of the question")
      .option("--reason <text>", "reason that the proposer is told and that is recorded")
      .option("--digest <sha256>", "answer only if the question still has this digest")
      .option("--key <file>", "sign the answer with this operator's key")
      .description(what)
      .action((id: string, options: AnswerOptions) =>
        run(async (context) => (await commands()).answerApproval(context, id, answer, options)),
      );
    if (verb !== "allow") continue;
    command.option("--session", "do not ask again about the same call in the same session");
    command.option("--rule", "also propose the entry that lets such calls run without a question");
  }
  addSigningCommands(approvals, run);
  approvals
    .command("watch")
    .description("show each question as it is asked")
    .action(() =>
      run(async (context) => (await import("../commands/approvals/watch-approvals.ts")).watchApprovals(context)),
    );
}

/** Answers from another machine: the card goes to where the key is, and the signed answer comes back. */
function addSigningCommands(approvals: Command, run: Runner): void {
  const signed = () => import("../commands/approvals/signed-approvals.ts");
  approvals
    .command("sign")
    .argument("<card>", "file with the output of `approvals show ID --json`")
    .requiredOption("--key <file>", "key of the operator who answers")
    .requiredOption("--out <file>", "file for the signed answer; it must not exist yet")
    .option("--allow", "say yes")
    .option("--deny", "say no")
    .option("--session", "do not ask again about the same call in the same session")
    .option("--reason <text>", "reason that the proposer is told and that is recorded")
    .description("sign an answer to a card, on any machine, without a host")
    .action((card: string, options: SignOptions) =>
      run(async (context) => (await signed()).signApproval(context, card, options)),
    );
  approvals
    .command("answer")
    .argument("<answer>", "file that `approvals sign` wrote")
    .description("send the host an answer that was signed elsewhere")
    .action((answer: string) => run(async (context) => (await signed()).bringAnswer(context, answer)));
}
