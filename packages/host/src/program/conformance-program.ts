/** The command line of `conformance`. */
import type { Command } from "commander";
import type { Runner } from "../commands/command-context.ts";
import type { ConformanceFlags } from "../commands/conformance.ts";

export function addConformanceCommand(program: Command, run: Runner): void {
  program
    .command("conformance")
    .option("--bin <file>", "executable to check, instead of this one")
    .option("--installed", "also check the deployment of this configuration as it is now")
    .option("--from <file>", "executable of the same signer to upgrade from, instead of an earlier version of it")
    .option("--rebuilt <file>", "another build of it, which must be identical")
    .option("--full", "also watch resource use over a hundred thousand executions")
    .description("check each clause of the deployment specification from outside")
    .action((options: ConformanceFlags) =>
      run(async (context) => (await import("../commands/conformance.ts")).conformance(context, options)),
    );
}
