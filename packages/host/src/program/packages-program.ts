/** The command line of `capabilities show|accept|reset`. */
import type { Command } from "commander";
import type { AcceptOptions } from "../commands/capabilities.ts";
import type { Runner } from "../commands/command-context.ts";

export function addPackageCommands(capabilities: Command, run: Runner): void {
  capabilities
    .command("show")
    .argument("<name>", "name of the capability")
    .description("show what a capability declares, where it comes from, and which of its files were accepted")
    .action((name: string) =>
      run(async (context) => (await import("../commands/capabilities.ts")).showCapability(context, name)),
    );
  capabilities
    .command("accept")
    .argument("<name>", "name of a capability with a `package`")
    .option("--yes", "ask nobody")
    .description("accept the present files of a package")
    .action((name: string, options: AcceptOptions) =>
      run(async (context) => (await import("../commands/capabilities.ts")).acceptPackage(context, name, options)),
    );
  capabilities
    .command("reset")
    .argument("<name>", "name of a capability with a `package`")
    .description("withdraw what was accepted of a package")
    .action((name: string) =>
      run(async (context) => (await import("../commands/capabilities.ts")).resetPackage(context, name)),
    );
}
