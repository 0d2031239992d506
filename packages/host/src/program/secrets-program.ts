/** The command line of `secrets`. */
import type { Command } from "commander";
import type { Runner } from "../commands/command-context.ts";

export function addSecretCommands(program: Command, run: Runner): void {
  const secrets = program.command("secrets").description("secrets that are sent in requests and never shown to agents");
  secrets
    .command("add")
    .argument("<name>", "name, to which headers refer as secret://NAME")
    .argument("[command...]", "after --: a program that prints the value, with its arguments")
    .requiredOption("--for <host[:port]>", "the only host to which it is sent; default port 443")
    .option("--file <path>", "read the value from a file, such as a credential of the service manager")
    .description("store a secret; its value comes from stdin, a file or a program, and is never printed")
    .action((name: string, command: string[], options: { for: string; file?: string }) =>
      run(async (context) => (await import("../commands/secrets.ts")).addSecret(context, name, command, options)),
    );
  secrets
    .command("list")
    .description("list names and hosts")
    .action(() => run(async (context) => (await import("../commands/secrets.ts")).listSecrets(context)));
  secrets
    .command("remove")
    .argument("<name>", "name of a stored secret")
    .description("remove a secret; later requests that refer to it are refused")
    .action((name: string) =>
      run(async (context) => (await import("../commands/secrets.ts")).removeSecret(context, name)),
    );
}
