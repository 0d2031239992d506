/** The command line of `backup`, `restore` and `report`. */
import type { Command } from "commander";
import type { Runner } from "../commands/command-context.ts";
import type { BackupFlags, RestoreFlags } from "../commands/recovery/backup.ts";

export function addRecoveryCommands(program: Command, run: Runner): void {
  program
    .command("backup")
    .requiredOption("--out <path>", "file that must not exist yet, or an existing folder")
    .option("--keys", "also write key files and stored secrets, unencrypted, to FILE.keys")
    .description("write log, values, older logs and configuration to one file; the host may be running")
    .action((options: BackupFlags) =>
      run(async (context) => (await import("../commands/recovery/backup.ts")).backup(context, options)),
    );
  program
    .command("restore")
    .argument("<file>", "what `backup` wrote")
    .option("--keys <file>", "take the stored secrets from this file")
    .option("--project <dir>", "write configuration and policy to this folder, which must not exist yet")
    .option("--key <file>", "public key of the log that was kept elsewhere, instead of the remembered one")
    .description("create a state directory from a backup, after verifying it; runs nothing")
    .action((file: string, options: RestoreFlags) =>
      run(async (context) => (await import("../commands/recovery/backup.ts")).restore(context, file, options)),
    );
  program
    .command("report")
    .option("--out <file>", "file that must not exist yet, instead of stdout")
    .description("write a support report: versions, findings, status and codes, without secrets or arguments")
    .action((options: { out?: string }) =>
      run(async (context) => (await import("../commands/recovery/report.ts")).report(context, options)),
    );
}
