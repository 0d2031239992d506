/** The command line of `approvals`; `program.ts` has the others. */
import type { Command } from "commander";
import type { AnswerOptions } from "./commands/approvals.ts";
import type { Runner } from "./commands/command-context.ts";

export function addApprovalCommands(program: Command, run: Runner): void {
  const commands = () => import("./commands/approvals.ts");
  const approvals = program.command("approvals").description("calls that wait for an operator");
  approvals
    .command("list")
    .description("list open questions, the oldest first")
    .action(() => run(async (context) => (await commands()).listApprovals(context)));
  approvals
    .command("show")
    .argument("<id>", "identifier of the question")
    .description("show everything that would run")
    .action((id: string) => run(async (context) => (await commands()).showApproval(context, id)));
  for (const [verb, answer, what] of [
    ["allow", "granted", "say yes: the call runs once, if policy and facts are still the same"],
    ["deny", "refused", "say no: the call is denied"],
  ] as const) {
    const command = approvals
      .command(verb)
      .argument("<id>", "identifier of the question")
      .option("--reason <text>", "what the proposer is told, and what is recorded")
      .option("--digest <sha256>", "answer only if the question still has this digest")
      .description(what)
      .addHelpText("after", `\nExample:\n  femtoclaw approvals ${verb} 42`)
      .action((id: string, options: AnswerOptions) =>
        run(async (context) => (await commands()).answerApproval(context, id, answer, options)),
      );
    if (verb === "allow") command.option("--session", "do not ask again about the very same call in its session");
  }
  approvals
    .command("watch")
    .description("show each question as it is asked")
    .action(() => run(async (context) => (await commands()).watchApprovals(context)));
}
