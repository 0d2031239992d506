/** What the official suite calls by fixed names: tools, resources and prompts of a server that stands behind the gate. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { toNodeHandler } from "@modelcontextprotocol/node";
import {
  type CallToolResult,
  createMcpHandler,
  type GetPromptResult,
  type ReadResourceResult,
  Server,
  type ServerContext,
} from "@modelcontextprotocol/server";

/** One pixel, and silence of no length. */
const IMAGE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const AUDIO = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=";

const text = (value: string): { type: "text"; text: string } => ({ type: "text", text: value });
const image = { type: "image", data: IMAGE, mimeType: "image/png" } as const;
const embedded = (uri: string, mimeType: string, held: string): { type: "resource"; resource: Held } => ({
  type: "resource",
  resource: { uri, mimeType, text: held },
});

interface Held {
  uri: string;
  mimeType: string;
  text: string;
}

const TOOLS: Readonly<Record<string, CallToolResult>> = {
  test_simple_text: { content: [text("This is a simple text response for testing.")] },
  test_image_content: { content: [image] },
  test_audio_content: { content: [{ type: "audio", data: AUDIO, mimeType: "audio/wav" }] },
  test_embedded_resource: {
    content: [embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")],
  },
  test_multiple_content_types: {
    content: [
      text("Multiple content types test:"),
      image,
      embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
    ],
  },
  test_error_handling: { isError: true, content: [text("This tool intentionally returns an error for testing")] },
};

const PAUSE_MS = 20;

/** What such a tool says before it answers. */
const MEANWHILE: Readonly<Record<string, (say: ServerContext["mcpReq"], round: number) => Promise<void>>> = {
  test_tool_with_progress: async ({ notify, _meta: meta }, round) => {
    const progressToken = meta?.progressToken;
    if (progressToken === undefined) return;
    await notify({ method: "notifications/progress", params: { progressToken, progress: 50 * round, total: 100 } });
  },
  test_tool_with_logging: async ({ log }, round) => await log("info", `Tool execution, step ${round}`),
};

function resource(uri: string): ReadResourceResult["contents"][number] {
  if (uri === "test://static-binary") return { uri, mimeType: "image/png", blob: IMAGE };
  const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
  if (id === undefined)
    return { uri, mimeType: "text/plain", text: "This is the content of the static text resource." };
  return {
    uri,
    mimeType: "application/json",
    text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }),
  };
}

type Filled = Readonly<Record<string, string>>;

const PROMPTS: Readonly<
  Record<string, { readonly asks: readonly string[]; get(given: Filled): GetPromptResult["messages"] }>
> = {
  test_simple_prompt: {
    asks: [],
    get: () => [{ role: "user", content: text("This is a simple prompt for testing.") }],
  },
  test_prompt_with_arguments: {
    asks: ["arg1", "arg2"],
    get: ({ arg1, arg2 }) => [{ role: "user", content: text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`) }],
  },
  test_prompt_with_embedded_resource: {
    asks: ["resourceUri"],
    get: ({ resourceUri = "" }) => [
      { role: "user", content: embedded(resourceUri, "text/plain", "Embedded resource content for testing.") },
      { role: "user", content: text("Please process the embedded resource above.") },
    ],
  },
  test_prompt_with_image: {
    asks: [],
    get: () => [
      { role: "user", content: image },
      { role: "user", content: text("Please analyze the image above.") },
    ],
  },
};

function fixture(): Server {
  const server = new Server(
    { name: "fixture", version: "1" },
    { capabilities: { tools: {}, resources: { subscribe: true }, prompts: {}, completions: {}, logging: {} } },
  );
  server.setRequestHandler("tools/list", async () => ({
    tools: [...Object.keys(TOOLS), ...Object.keys(MEANWHILE)].map((name) => ({
      name,
      description: "For the suite.",
      inputSchema: { type: "object" },
    })),
  }));
  server.setRequestHandler("tools/call", async ({ params }, { mcpReq }) => {
    for (let round = 0; round < 3 && MEANWHILE[params.name] !== undefined; round += 1) {
      await MEANWHILE[params.name]?.(mcpReq, round);
      await sleep(PAUSE_MS);
    }
    return TOOLS[params.name] ?? { content: [text("done")] };
  });
  server.setRequestHandler("completion/complete", async ({ params }) => ({
    completion: { values: [`${params.argument.value}ing`], total: 1, hasMore: false },
  }));
  server.setRequestHandler("resources/list", async () => ({
    resources: ["test://static-text", "test://static-binary", "test://watched-resource"].map((uri) => ({
      uri,
      name: uri,
      description: "For the suite.",
    })),
  }));
  server.setRequestHandler("resources/templates/list", async () => ({
    resourceTemplates: [{ uriTemplate: "test://template/{id}/data", name: "template" }],
  }));
  server.setRequestHandler("resources/read", async ({ params }) => ({ contents: [resource(params.uri)] }));
  server.setRequestHandler("prompts/list", async () => ({
    prompts: Object.entries(PROMPTS).map(([name, { asks }]) => ({
      name,
      description: "For the suite.",
      arguments: asks.map((asked) => ({ name: asked, description: "For the suite.", required: true })),
    })),
  }));
  server.setRequestHandler("prompts/get", async ({ params }) => ({
    messages: PROMPTS[params.name]?.get(params.arguments ?? {}) ?? [],
  }));
  return server;
}

export interface ServedFixture extends AsyncDisposable {
  readonly url: string;
  /** Says that a resource changed. */
  changed(uri: string): void;
}

/** The fixture over HTTP, on an address of this machine. */
export async function serveFixture(): Promise<ServedFixture> {
  const handler = createMcpHandler(fixture, { legacy: "reject" });
  const node = toNodeHandler(handler);
  const server = createServer((request, response) => void node(request as Parameters<typeof node>[0], response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    changed: (uri) => handler.notify.resourceUpdated(uri),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
