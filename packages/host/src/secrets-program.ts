/** The command line of `secrets`. */
import type { Command } from "commander";
import type { Runner } from "./commands/command-context.ts";

export function addSecretCommands(program: Command, run: Runner): void {
  const secrets = program.command("secrets").description("secrets that requests carry and agents never see");
  secrets
    .command("add")
    .argument("<name>", "what headers refer to as secret://NAME")
    .argument("[command...]", "after --: a program, and its arguments, that prints the value")
    .requiredOption("--for <host[:port]>", "the only host that it is sent to; port 443 if none is named")
    .option("--file <path>", "read the value from a file, such as a credential of the service manager")
    .description("store a secret; the value comes from stdin, a file or a program, and is never printed")
    .action((name: string, command: string[], options: { for: string; file?: string }) =>
      run(async (context) => (await import("./commands/secrets.ts")).addSecret(context, name, command, options)),
    );
  secrets
    .command("list")
    .description("list names and hosts")
    .action(() => run(async (context) => (await import("./commands/secrets.ts")).listSecrets(context)));
  secrets
    .command("remove")
    .argument("<name>", "name of a stored secret")
    .description("remove a secret; requests that refer to it are refused from then on")
    .action((name: string) =>
      run(async (context) => (await import("./commands/secrets.ts")).removeSecret(context, name)),
    );
}
