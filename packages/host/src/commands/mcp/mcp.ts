/**
 * `mcp`: serves the running host's capabilities to one MCP client over stdio, or to those of this machine over HTTP.
 */

import { newToken, serveMcpHttp, serveMcpStdio } from "@femtoclaw/mcp";
import { EXIT, errorText, FemtoError, printable, systemErrorCode } from "@femtoclaw/protocol";
import { type AgentKind, agentConfiguration } from "../../mcp/agent-configuration.ts";
import { withRuntimeDirectory } from "../../mcp/client-environment.ts";
import { startingConnect } from "../../mcp/starting-connect.ts";
import { tokenFrom } from "../../mcp/token-file.ts";
import { lastingCommand } from "../../own-command.ts";
import { releaseOnceSettled } from "../../process/unused-pages.ts";
import type { CommandContext } from "../command-context.ts";
import { unreachedPlace } from "../unreached-place.ts";

/** Used without `--wait`. It is below the minute after which most clients give up on a call. */
const WAIT_MS = 50_000;

export interface McpOptions {
  readonly http?: number;
  readonly tokenFile?: string;
  readonly wait?: number;
  readonly agent?: string;
  readonly printConfig?: AgentKind;
}

export async function mcp(called: CommandContext, options: McpOptions): Promise<number> {
  const context = withRuntimeDirectory(called);
  const loaded = context.load();
  const { agent, http, wait, tokenFile, printConfig } = options;
  if (tokenFile !== undefined && http === undefined) {
    throw new FemtoError("FEMTO_USAGE", "a token file is for --http only");
  }
  if (agent !== undefined && !Object.hasOwn(loaded.configuration.agent ?? {}, agent)) {
    throw new FemtoError("FEMTO_USAGE", `the configuration has no [agent.${printable(agent)}]`, {
      fix: "Name an agent that has tables in the configuration, or leave --agent out.",
    });
  }
  if (printConfig !== undefined) return printConfiguration(context, printConfig, loaded.path, agent);
  const common = {
    connect: startingConnect(context, loaded, agent),
    waitMs: wait ?? WAIT_MS,
    onError: (error: Error) => context.output.talk(`mcp: ${printable(errorText(error), 2_000)}`),
  };
  // Each agent has such a process for as long as it runs.
  releaseOnceSettled();
  const ending = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.once(signal, () => ending.abort());
  if (http !== undefined) return await serveHttp(context, { ...common, port: http }, tokenFile, ending.signal);
  // Somebody who starts this by hand sees a command that waits, and may take it for one that hangs.
  if (process.stdin.isTTY)
    context.output.talk(
      "serving one MCP client on stdin and stdout, until ^D; an agent starts it itself, as `femtoclaw mcp --print-config AGENT` says",
    );
  await serveMcpStdio({ ...common, input: process.stdin, output: process.stdout }, ending.signal);
  return EXIT.ok;
}

async function serveHttp(
  context: CommandContext,
  options: Omit<Parameters<typeof serveMcpHttp>[0], "token">,
  tokenFile: string | undefined,
  signal: AbortSignal,
): Promise<number> {
  const { output } = context;
  // INVARIANT: I8: no call may reach the token file. A call that reads it could propose as the agent of this endpoint,
  // and a call that writes it could choose the token.
  const token =
    tokenFile === undefined ? newToken() : tokenFrom(unreachedPlace(context, tokenFile, "FEMTO_CONFIG_OWNER"));
  const server = await serveMcpHttp({ ...options, token }).catch((error: unknown) => {
    const reason = systemErrorCode(error) ?? errorText(error);
    throw new FemtoError("FEMTO_USAGE", `port ${options.port} of this machine is not available (${reason})`, {
      fix: "Name a free port, or 0 for any.",
    });
  });
  if (output.json) output.value({ event: "ready", url: server.url });
  else output.line(`ready: ${server.url}`);
  // A new token is printed on stderr, because it is no data. A token in a file is not printed: the owner of the file
  // passes it on to clients.
  if (tokenFile === undefined) process.stderr.write(`bearer token, shown once: ${token}\n`);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await server.close();
  return EXIT.ok;
}

function printConfiguration(
  { output, environment }: CommandContext,
  kind: AgentKind,
  path: string,
  agent: string | undefined,
): number {
  const server = ["--config", path, "mcp", ...(agent === undefined ? [] : ["--agent", agent])];
  const { text, use } = agentConfiguration(kind, [...lastingCommand(), ...server], environment);
  output.line(text);
  for (const line of use) output.talk(line);
  return EXIT.ok;
}
