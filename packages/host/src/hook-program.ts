/** The command line of `hook`. */
import { Argument, type Command } from "commander";
import type { Runner } from "./commands/command-context.ts";
import type { InstallOptions } from "./commands/hook.ts";
import { HOOK_KINDS, type HookKind } from "./hook/hook-command.ts";

export function addHookCommand(program: Command, run: Runner): void {
  const agent = (): Argument => new Argument("<agent>", "which agent").choices(HOOK_KINDS);
  const hook = program
    .command("hook")
    .addArgument(agent())
    .description("block a tool of an agent's own: run by the agent, with what it is about to do on stdin")
    .action((kind: HookKind) => run(async (context) => (await import("./commands/hook.ts")).hook(context, kind)));
  hook
    .command("install")
    .addArgument(agent())
    .option("--write <file>", "put it into this file of the agent's, once its change was agreed to")
    .option("--yes", "agree to the change beforehand")
    .description("print what makes an agent ask before each of its tools")
    .action((kind: HookKind, options: InstallOptions) =>
      run(async (context) => (await import("./commands/hook.ts")).hookInstall(context, kind, options)),
    );
  hook
    .command("test")
    .addArgument(agent())
    .description("run the hook as the agent would, and let go wrong what can")
    .action((kind: HookKind) => run(async (context) => (await import("./commands/hook.ts")).hookTest(context, kind)));
}
