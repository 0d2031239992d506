/** The command line of `hook`. */
import { Argument, type Command } from "commander";
import type { Runner } from "../commands/command-context.ts";
import type { InstallOptions } from "../commands/hook.ts";
import { HOOK_KINDS, type HookKind } from "../hook/hook-command.ts";

export function addHookCommand(program: Command, run: Runner): void {
  const agent = (): Argument => new Argument("<agent>", "which agent").choices(HOOK_KINDS);
  const hook = program
    .command("hook")
    .addArgument(agent())
    .description("block an agent's own tools; the agent runs this command, with its tool call on stdin")
    .action((kind: HookKind) => run(async (context) => (await import("../commands/hook.ts")).hook(context, kind)));
  hook
    .command("install")
    .addArgument(agent())
    .option("--write <file>", "add it to this file of the agent, after you have agreed to the change")
    .option("--yes", "agree to the change without being asked")
    .description("print the configuration that makes an agent run the hook before each tool")
    .action((kind: HookKind, options: InstallOptions) =>
      run(async (context) => (await import("../commands/hook.ts")).hookInstall(context, kind, options)),
    );
  hook
    .command("test")
    .addArgument(agent())
    .description("run the hook as the agent would, and cause every fault that can occur")
    .action((kind: HookKind) => run(async (context) => (await import("../commands/hook.ts")).hookTest(context, kind)));
}
