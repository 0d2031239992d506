/** The command line of the commands that start, steer and stop a host. */
import type { Command } from "commander";
import type { Runner } from "../commands/command-context.ts";

export function addHostCommands(program: Command, run: Runner): void {
  program
    .command("up")
    .option("--detach", "return when the host is ready, and leave it running")
    .description("start the host")
    .action(async (options: { detach?: boolean }) => {
      if (options.detach === true) {
        await run(async (context) => (await import("../commands/host/up-detached.ts")).upDetached(context));
      } else {
        (await import("@femtoclaw/policy/begin-engine")).beginEngine();
        await run(async (context) => (await import("../commands/host/up.ts")).up(context));
      }
    });
  program
    .command("down")
    .option("--now", "cancel running calls instead of waiting for them")
    .description("stop the host")
    .action((options: { now?: boolean }) =>
      run(async (context) => (await import("../commands/host/host.ts")).down(context, options)),
    );
  program
    .command("halt")
    .argument("<session>", "identifier of a session, from `femtoclaw status`")
    .option("--reason <text>", "reason, which is recorded")
    .description("stop a session: no more of its calls begin, and running ones end")
    .action((session: string, options: { reason?: string }) =>
      run(async (context) => (await import("../commands/host/host.ts")).halt(context, session, options)),
    );
  program
    .command("reload")
    .description("put the present policy of the configuration in force")
    .action(() => run(async (context) => (await import("../commands/host/host.ts")).reload(context)));
  program
    .command("status")
    .description("show the running host")
    .action(() => run(async (context) => (await import("../commands/host/status.ts")).status(context)));
}
