/** The command line of `install`, `uninstall`, `upgrade` and `rollback`. */
import type { Command } from "commander";
import type { CommandContext, Runner } from "../commands/command-context.ts";
import type { InstallFlags, PlaceFlags, UninstallFlags, UpgradeFlags } from "../commands/installation.ts";

type Commands = typeof import("../commands/installation.ts");

export function addInstallationCommands(program: Command, run: Runner): void {
  const act = (action: (commands: Commands, context: CommandContext) => Promise<number>) =>
    run(async (context) => {
      const commands = await import("../commands/installation.ts");
      return await commands.refusedBySystem(() => action(commands, context));
    });
  placed(program.command("install"))
    .argument("[file]", "signed executable to install, instead of this one")
    .option("--key <file>", "public key with which executables must be signed from now on")
    .option("--service-user <name>", "with --system: existing user that the host runs as (default: femtoclaw)")
    .option("--no-service", "do not write a systemd unit")
    .description("install executable, configuration, state and service, and put them in force")
    .action((file: string | undefined, options: InstallFlags) =>
      act((commands, context) => commands.install(context, file, options)),
    );
  placed(program.command("uninstall"))
    .option("--changed", "also remove files that were changed since they were installed")
    .option("--state", "also remove the journal, its keys and all other state of the host")
    .description("remove only what was installed; state stays")
    .action((options: UninstallFlags) => act((commands, context) => commands.uninstall(context, options)));
  placed(program.command("upgrade"))
    .argument("<file>", "executable, with its manifest and signature beside it")
    .option("--allow-downgrade", "allow an older version")
    .description("put another signed executable in force; return to the old one if the host does not start")
    .action((file: string, options: UpgradeFlags) =>
      act((commands, context) => commands.upgrade(context, file, options)),
    );
  placed(program.command("rollback"))
    .description("put the previous executable in force again")
    .action((options: PlaceFlags) => act((commands, context) => commands.rollback(context, options)));
}

function placed(command: Command): Command {
  return command
    .option("--user", "the installation of this user (the default)")
    .option("--system", "the installation of this machine, as root")
    .option("--prefix <dir>", "the installation below this folder")
    .option("--dry-run", "say what would change, and change nothing");
}
