/** The command line of `capabilities`. */
import type { Command } from "commander";
import type { Runner } from "../commands/command-context.ts";
import { addPackageCommands } from "./packages-program.ts";

export function addCapabilityCommands(program: Command, run: Runner): void {
  const capabilities = program.command("capabilities").description("capabilities of the running host");
  capabilities
    .command("list")
    .description("list capabilities")
    .action(() => run(async (context) => (await import("../commands/capabilities.ts")).listCapabilities(context)));
  addPackageCommands(capabilities, run);
  for (const verb of ["enable", "disable"] as const) {
    capabilities
      .command(verb)
      .argument("<name>", "name of the capability")
      .description(`${verb} a capability`)
      .action((name: string) =>
        run(async (context) => (await import("../commands/capabilities.ts")).switchCapability(context, name, verb)),
      );
  }
}
