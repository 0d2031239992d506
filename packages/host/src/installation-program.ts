/** The command line of `install`, `uninstall`, `upgrade` and `rollback`. */
import type { Command } from "commander";
import type { CommandContext, Runner } from "./commands/command-context.ts";
import type { InstallFlags, PlaceFlags, UninstallFlags, UpgradeFlags } from "./commands/installation.ts";

type Commands = typeof import("./commands/installation.ts");

export function addInstallationCommands(program: Command, run: Runner): void {
  const act = (action: (commands: Commands, context: CommandContext) => Promise<number>) =>
    run(async (context) => {
      const commands = await import("./commands/installation.ts");
      return await commands.refusedBySystem(() => action(commands, context));
    });
  placed(program.command("install"))
    .argument("[file]", "a signed executable, instead of this one")
    .option("--key <file>", "public key that it has to be signed by, from now on")
    .option("--service-user <name>", "with --system: user that the host runs as, who has to exist (femtoclaw)")
    .option("--no-service", "write no unit for systemd")
    .description("lay out executable, configuration, state and service, and put it in force")
    .action((file: string | undefined, options: InstallFlags) =>
      act((commands, context) => commands.install(context, file, options)),
    );
  placed(program.command("uninstall"))
    .option("--changed", "remove also what was changed since it was installed")
    .option("--state", "remove also the journal, its keys and all else that the host has kept")
    .description("remove what was installed, and nothing else; state stays")
    .action((options: UninstallFlags) => act((commands, context) => commands.uninstall(context, options)));
  placed(program.command("upgrade"))
    .argument("<file>", "the executable; its manifest and signature lie beside it")
    .option("--allow-downgrade", "take an older version, too")
    .description("put another signed executable in force; take it back if its host does not come up")
    .action((file: string, options: UpgradeFlags) =>
      act((commands, context) => commands.upgrade(context, file, options)),
    );
  placed(program.command("rollback"))
    .description("put the executable in force again that was before this one")
    .action((options: PlaceFlags) => act((commands, context) => commands.rollback(context, options)));
}

function placed(command: Command): Command {
  return command
    .option("--user", "the installation of this user (the default)")
    .option("--system", "the installation of this machine, as root")
    .option("--prefix <dir>", "the installation below a folder of its own")
    .option("--dry-run", "say what would change, and change nothing");
}
