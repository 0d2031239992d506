/** The command line of `run`; `program.ts` has the others. */
import type { Command } from "commander";
import type { Runner } from "./commands/command-context.ts";

export function addRunCommand(program: Command, run: Runner): void {
  program
    .command("run")
    .passThroughOptions()
    .argument("<agent>", "name under [launch]")
    .argument("[args...]", "its arguments")
    .description("launch an agent in the sandbox, where it changes nothing but by calls of the running host")
    .addHelpText("after", '\nExample:\n  femtoclaw run -- claude -p "fix the failing test"')
    .action((agent: string, args: string[]) =>
      run(async (context) => (await import("./commands/run.ts")).runAgent(context, agent, args)),
    );
}
