/** A project whose host stands in front of MCP servers of others: programs of the fixture, and servers over HTTP in this process. */

import { copyFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import type { UpstreamView } from "@femtoclaw/protocol";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler, Server as McpServer } from "@modelcontextprotocol/server";
import { McpPlace } from "../mcp-place.ts";

export interface Tool {
  readonly name: string;
  readonly description?: string;
  readonly inputSchema?: object;
  readonly annotations?: object;
}

/** What a fixture in the mode `contents` has beside its tools; also what is no proper list. */
export interface Contents {
  readonly resources?: unknown;
  readonly templates?: unknown;
  readonly prompts?: unknown;
}

const PROGRAMS = dirname(process.execPath);

export class GatewayPlace extends McpPlace {
  /** `servers` and `tables` are TOML; a server's program is `node fixture.mjs MODE FILE`. */
  constructor(servers: string, tables: string) {
    super(`workspace = "."
search_path = ["${PROGRAMS}", "/usr/bin", "/bin"]
${servers}
${tables}
[sandbox]
read = ["${PROGRAMS}"]
[memory]
path = "../state"
[host]
runtime_dir = "../run"
`);
    copyFileSync(join(import.meta.dirname, "fixture-server.mjs"), join(this.project, "fixture.mjs"));
  }

  /** What the fixture offers from its next list on. */
  offer(file: string, offered: readonly Tool[] | Contents): void {
    writeFileSync(join(this.project, file), JSON.stringify(offered));
  }

  async upstream(name: string): Promise<UpstreamView | undefined> {
    await using operator = await this.operator();
    return (await operator.upstreams()).find(({ server }) => server === name);
  }

  /** States of the tools of a server by their names. */
  async states(name: string): Promise<Record<string, string>> {
    const found = await this.upstream(name);
    return Object.fromEntries((found?.tools ?? []).map((tool) => [tool.name, tool.state]));
  }
}

type Answer = (
  request: IncomingMessage,
  message: { id?: number; method: string; params: never },
  response: ServerResponse,
) => void;

/** A server over HTTP that answers as it is told. */
export class HttpUpstream implements AsyncDisposable {
  readonly #server: Server;
  readonly requests: { readonly method: string; readonly headers: IncomingMessage["headers"] }[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async raw(answer: Answer): Promise<HttpUpstream> {
    const server = createServer(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += String(chunk);
      const message = JSON.parse(body) as Parameters<Answer>[1];
      upstream.requests.push({ method: message.method, headers: request.headers });
      answer(request, message, response);
    });
    const upstream = new HttpUpstream(server);
    return await upstream.#listen();
  }

  /** The official server, which knows no handshake. */
  static async modern(): Promise<HttpUpstream> {
    const handler = createMcpHandler(
      () => {
        const server = new McpServer({ name: "modern", version: "1" }, { capabilities: { tools: {}, resources: {} } });
        server.setRequestHandler("tools/list", async () => ({
          tools: [
            {
              name: "greet",
              description: "Greets.",
              inputSchema: { type: "object", properties: { who: { type: "string" } } },
            },
          ],
        }));
        server.setRequestHandler("tools/call", async ({ params }) => ({
          content: [{ type: "text", text: `hello ${String(params.arguments?.["who"])}` }],
        }));
        server.setRequestHandler("resources/list", async () => ({ resources: [{ uri: "era://new", name: "New" }] }));
        server.setRequestHandler("resources/templates/list", async () => ({ resourceTemplates: [] }));
        server.setRequestHandler("resources/read", async ({ params: { uri } }) => ({
          contents: [{ uri, text: "read" }],
        }));
        return server;
      },
      { legacy: "reject" },
    );
    const node = toNodeHandler(handler);
    return await new HttpUpstream(
      createServer((request, response) => void node(request as Parameters<typeof node>[0], response)),
    ).#listen();
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/mcp`;
  }

  async #listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Answers as a plain server does: a handshake with a session, one tool, and its answer as a stream of events. */
export function plainAnswer(tool: Tool, call: (params: { arguments?: object }) => object): Answer {
  return (_, { id, method, params }, response) => {
    const send = (result: object): void => {
      response.setHeader("content-type", "application/json").setHeader("mcp-session-id", "s-1");
      response.end(JSON.stringify({ jsonrpc: "2.0", id, result }));
    };
    if (id === undefined) return void response.writeHead(202).end();
    if (method === "initialize") return send({ protocolVersion: "2025-06-18", capabilities: {}, serverInfo: {} });
    if (method === "tools/list") return send({ tools: [tool] });
    response.setHeader("content-type", "text/event-stream");
    const event = (message: object): string =>
      `event: message\r\ndata: ${JSON.stringify({ jsonrpc: "2.0", ...message })}\r\n\r\n`;
    response.write(`: a comment\r\n\r\n${event({ method: "notifications/progress", params: {} })}`);
    response.end(event({ id, result: call(params) }));
  };
}
