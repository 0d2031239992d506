/** The command line of `init`, `trust`, `doctor` and `demo`. */
import type { Command } from "commander";
import type { Runner } from "../commands/command-context.ts";

export function addProjectCommands(program: Command, run: Runner): void {
  program
    .command("init")
    .argument("[dir]", "folder of the project")
    .option("--preset <name>", "read-only, node, python or git", "read-only")
    .option("--yes", "ask nothing")
    .description("write a configuration that denies by default, and trust it")
    .action((dir: string | undefined, options: { preset?: string }) =>
      run(async (context) => (await import("../commands/project.ts")).init(context, dir, options)),
    );
  program
    .command("trust")
    .argument("[dir]", "folder of the project")
    .option("--list", "list what is trusted")
    .option("--revoke", "withdraw the trust")
    .description("show what a project's configuration would allow, and trust its present contents")
    .action((dir: string | undefined, options: { list?: boolean; revoke?: boolean }) =>
      run(async (context) => (await import("../commands/project.ts")).trust(context, dir, options)),
    );
  program
    .command("doctor")
    .description("test what FemtoClaw relies on: sandbox, policy, permissions, journal, disk")
    .action(() => run(async (context) => (await import("../commands/doctor.ts")).doctor(context)));
  program
    .command("demo")
    .option("--fresh", "begin with an empty journal")
    .description("let a scripted agent propose to a real host under ./.femtoclaw-demo")
    .action((options: { fresh?: boolean }) =>
      run(async (context) => (await import("../demo/demo.ts")).demo(context, options)),
    );
}
