/** The command line of `call` and `send`. */
import type { Command } from "commander";
import type { Runner } from "../commands/command-context.ts";
import type { CallOptions, ProposerOptions } from "../commands/propose/propose.ts";
import { milliseconds } from "./option-values.ts";

export function addProposeCommands(program: Command, run: Runner): void {
  program
    .command("call")
    .argument("<tool>", "name of the capability")
    .argument("[args]", "arguments as JSON, or - to read them from stdin")
    .option("--timeout <ms>", "how long to wait for the answer", milliseconds)
    .option("--label <text>", "a name for this call, recorded with it")
    .option("--stream", "show what its program writes while it runs")
    .option("--traceparent <value>", "W3C trace context that the call is part of")
    .option("--tracestate <value>", "W3C trace state that belongs to --traceparent")
    .option("--agent <name>", "propose as the agent [agent.NAME]")
    .option("--embedded", "open the state directory in this process instead of asking a host")
    .description("propose one tool call")
    .action((tool: string, args: string | undefined, options: CallOptions) =>
      run(async (context) => (await import("../commands/propose/propose.ts")).call(context, tool, args, options)),
    );
  program
    .command("send")
    .option("--agent <name>", "propose as the agent [agent.NAME]")
    .option("--embedded", "open the state directory in this process instead of asking a host")
    .description("propose raw protocol messages: one on each line of stdin, one reply on each line of stdout")
    .action((options: ProposerOptions) =>
      run(async (context) => (await import("../commands/propose/propose.ts")).send(context, options)),
    );
}
