/** The command line of `mcp`. */
import { type Command, Option } from "commander";
import type { Runner } from "../commands/command-context.ts";
import type { McpOptions } from "../commands/mcp/mcp.ts";
import type { AcceptOptions } from "../commands/mcp/mcp-pins.ts";
import { waitingTime, wholeNumber } from "./option-values.ts";

const PORT_MAX = 65_535;

export function addMcpCommand(program: Command, run: Runner): void {
  const mcp = program
    .command("mcp")
    .option(
      "--http <port>",
      "serve clients of this machine over HTTP, instead of one client over stdio; 0 chooses a free port",
      port,
    )
    .option(
      "--token-file <file>",
      "file with the bearer token for HTTP, created if missing; without this option a token is printed",
    )
    .option("--wait <ms>", "how long a call waits for an operator before the client gets a pending answer", waitingTime)
    .option("--agent <name>", "serve the agent [agent.NAME], with its tables")
    .addOption(
      new Option("--print-config <agent>", "print the configuration for an agent, and serve nothing").choices([
        "claude",
        "codex",
        "opencode",
        "pi",
      ]),
    )
    .description("serve the running host's capabilities as MCP tools")
    .action((options: McpOptions) =>
      run(async (context) => (await import("../commands/mcp/mcp.ts")).mcp(context, options)),
    );
  addPinsCommand(mcp, run);
}

function addPinsCommand(mcp: Command, run: Runner): void {
  const pins = mcp.command("pins").description("what third-party MCP servers offer, and what of it is accepted");
  pins
    .command("list")
    .description("list the servers of [mcp.servers] and their tools: offered, new, changed or refused")
    .action(() => run(async (context) => (await import("../commands/mcp/mcp-pins.ts")).listPins(context)));
  pins
    .command("accept")
    .argument("<server>", "name under [mcp.servers]")
    .argument("[tools...]", "accept only these tools; without names, all that are new or changed")
    .option("--yes", "ask nobody")
    .description("accept tools as they are described now")
    .action((server: string, tools: string[], options: AcceptOptions) =>
      run(async (context) => (await import("../commands/mcp/mcp-pins.ts")).acceptPins(context, server, tools, options)),
    );
  pins
    .command("reset")
    .argument("<server>", "name under [mcp.servers]")
    .description("withdraw everything that was accepted of a server")
    .action((server: string) =>
      run(async (context) => (await import("../commands/mcp/mcp-pins.ts")).resetPins(context, server)),
    );
}

function port(text: string): number {
  return wholeNumber(text, 0, PORT_MAX, "a port number");
}
