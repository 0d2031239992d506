/** The command line of `run`. */
import type { Command } from "commander";
import type { Runner } from "../commands/command-context.ts";
import type { RunOptions } from "../commands/run.ts";

export function addRunCommand(program: Command, run: Runner): void {
  program
    .command("run")
    .passThroughOptions()
    .argument("<agent>", "name under [launch]")
    .argument("[args...]", "its arguments")
    .option("--dry-run", "show what would be started and which files would be written, and start nothing")
    .description("launch an agent in the sandbox, where it can change things only through the running host")
    .action((agent: string, args: string[], options: RunOptions) =>
      run(async (context) => (await import("../commands/run.ts")).runAgent(context, agent, args, options)),
    );
}
