/** A project whose host serves real MCP clients, over stdio and over HTTP, in both eras of the protocol. */

import { once } from "node:events";
import type { ApprovalCard } from "@femtoclaw/protocol";
import { Client, type ClientOptions, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { COMMAND, Playground } from "../../host/test/playground.ts";

export type Era = "2025-11-25" | "2026-07-28";
export const ERAS: readonly Era[] = ["2025-11-25", "2026-07-28"];

export const CONFIGURATION = `workspace = "."
[capabilities]
process_exec = true
fs_read = true
fs_write = true
fs_list = true
[allow]
read = ["."]
run = { echo = ["*"], sleep = ["*"], tail = ["*"] }
[ask]
write = ["out"]
[deny]
read = ["secrets"]
[memory]
path = "../state"
[host]
runtime_dir = "../run"
`;

export interface HttpPlace {
  readonly url: string;
  readonly token: string;
  readonly port: number;
}

export class McpPlace extends Playground {
  constructor(configuration: string = CONFIGURATION) {
    super(configuration);
  }

  /** A client over stdio, with a server process of its own. */
  async stdio(era: Era, args: readonly string[] = [], options: ClientOptions = {}): Promise<McpClient> {
    const transport = new StdioClientTransport({
      command: COMMAND[0],
      args: [COMMAND[1], "mcp", ...args],
      env: definite(this.environment),
      cwd: this.project,
      stderr: "ignore",
    });
    return await McpClient.connect(era, transport, options);
  }

  /** The HTTP endpoint, whose process is ended with the place. */
  async http(args: readonly string[] = []): Promise<HttpPlace> {
    const child = this.spawn(["mcp", "--http", "0", ...args]);
    const [said, told] = await Promise.all([once(child.stdout, "data"), once(child.stderr, "data")]);
    const url = /http:\S+/.exec(String(said[0]))?.[0] ?? "";
    const token = /once: (\S+)/.exec(String(told[0]))?.[1] ?? "";
    return { url, token, port: Number(new URL(url).port) };
  }

  /** Says yes to the one question that is open, once it is, or to what `answer` is given. */
  async answer(question?: ApprovalCard): Promise<void> {
    const { id, digest } = question ?? (await this.question());
    await using operator = await this.operator();
    await operator.answerApproval({ approval: id, digest, answer: "granted", scope: "once" });
  }

  async questions(): Promise<readonly ApprovalCard[]> {
    await using operator = await this.operator();
    return await operator.approvals();
  }

  /** The one question that is open, once it is. */
  async question(): Promise<ApprovalCard> {
    for (;;) {
      const [question] = await this.questions();
      if (question !== undefined) return question;
    }
  }
}

export class McpClient extends Client implements AsyncDisposable {
  static async connect(era: Era, transport: Transport, options: ClientOptions = {}): Promise<McpClient> {
    const mode = era === "2026-07-28" ? { pin: era } : "legacy";
    const client = new McpClient({ name: "probe", version: "1.2.3" }, { versionNegotiation: { mode }, ...options });
    await client.connect(transport);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

type Transport = Parameters<Client["connect"]>[0];

export async function httpClient(era: Era, { url, token }: HttpPlace, options: ClientOptions = {}): Promise<McpClient> {
  const headers = { Authorization: `Bearer ${token}` };
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
  return await McpClient.connect(era, transport, options);
}

function definite(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
