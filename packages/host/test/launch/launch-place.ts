/** A project whose agents are shells and Perl scripts, and what they say to their MCP server. */
import type { OperatorClient } from "@femtoclaw/client";
import type { Playground } from "../playground.ts";

export const MODEL_KEY = "model-key-8f31c0";

/** `hosts` are those that `perl` may connect to, launched or called. */
export function launchConfiguration(hosts: readonly string[] = []): string {
  return `workspace = "."
[capabilities]
process_exec = true
fs_read = true
fs_write = true
[allow]
read = ["."]
write = ["out"]
run = { echo = ["*"], cat = ["*"], perl = [{ any = true, unsafe = true }] }
[deny]
read = ["secrets"]
[launch.script]
program = "sh"
agent = "coder"
env = ["MODEL_KEY"]
[launch.perl]
[agent.coder.allow]
run = { echo = ["*"] }
[sandbox]
connect = { perl = ${JSON.stringify(hosts)} }
[memory]
path = "../state"
[host]
runtime_dir = "../run"
`;
}

/** A shell command that sends calls to the agent's MCP server and prints its answers, each on a line. */
export function mcpScript(calls: readonly { readonly name: string; readonly arguments: object }[]): string {
  const initialize = {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "shell", version: "1" },
  };
  return mcpLines(
    { jsonrpc: "2.0", id: 0, method: "initialize", params: initialize },
    { jsonrpc: "2.0", method: "notifications/initialized" },
    ...calls.map((params, index) => ({ jsonrpc: "2.0", id: index + 1, method: "tools/call", params })),
  );
}

export function mcpLines(...messages: readonly object[]): string {
  const lines = messages.map((message) => `'${JSON.stringify(message)}'`).join(" ");
  return `printf '%s\\n' ${lines} | "$FEMTOCLAW_MCP"`;
}

export interface Launched {
  readonly operator: OperatorClient;
  readonly session: string;
}

/** An agent of a connection of its own, which is all that it lives by. */
export async function launch(
  place: Playground,
  name: string,
  argv: readonly string[],
  size: { cols: number; rows: number } | null = null,
  cwd?: string,
): Promise<Launched> {
  const operator = await place.operator();
  const variables = name === "perl" ? {} : { MODEL_KEY };
  const request = { name, argv, variables, size, ...(cwd === undefined ? {} : { cwd }) };
  return { operator, ...(await operator.launched.start(request)) };
}

/** What it writes until it has written this, or has ended. */
export async function said(operator: OperatorClient, until: string | null = null) {
  let [stdout, stderr] = ["", ""];
  for (;;) {
    const part = await operator.launched.read(1_000);
    stdout += Buffer.from(part.stdout, "base64").toString();
    stderr += Buffer.from(part.stderr, "base64").toString();
    const isThere = until !== null && stdout.includes(until);
    if (isThere || part.ended !== null) return { stdout, stderr, ended: part.ended };
  }
}

/** Runs an agent to its end. */
export async function ran(place: Playground, name: string, ...argv: readonly string[]) {
  const { operator, session } = await launch(place, name, argv);
  try {
    const { stdout, stderr, ended } = await said(operator);
    return { session, stdout, stderr, reply: ended?.reply, calls: ended?.calls };
  } finally {
    await operator.close();
  }
}
