/** What the official suite calls by fixed names: tools, resources and prompts of a server that stands behind the gate. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { toNodeHandler } from "@modelcontextprotocol/node";
import {
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  createMcpHandler,
  type GetPromptResult,
  type InputRequest,
  type InputRequiredResult,
  inputRequired,
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
  test_input_required_result_prompt: {
    asks: [],
    get: () => [{ role: "user", content: text("With the context.") }],
  },
  test_prompt_with_image: {
    asks: [],
    get: () => [
      { role: "user", content: image },
      { role: "user", content: text("Please analyze the image above.") },
    ],
  },
};

type Asked = Readonly<Record<string, InputRequest>>;

const form = (message: string, properties: object): InputRequest =>
  inputRequired.elicit({ message, requestedSchema: { type: "object", properties } as never });
const said = (words: string): InputRequest =>
  inputRequired.createMessage({ messages: [{ role: "user", content: text(words) }], maxTokens: 100 });
const asksName = form("What is your name?", { name: { type: "string" } });
const asksYes = { confirm: form("Please confirm", { ok: { type: "boolean" } }) };

const DEFAULTS = {
  name: { type: "string", default: "John Doe" },
  age: { type: "integer", default: 30 },
  score: { type: "number", default: 95.5 },
  status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
  verified: { type: "boolean", default: true },
};
const titled = (value: string, title: string): object => ({ const: value, title });
const ENUMS = {
  untitledSingle: { type: "string", enum: ["option1", "option2", "option3"] },
  titledSingle: { type: "string", oneOf: [titled("value1", "First Option"), titled("value2", "Second Option")] },
  legacyEnum: { type: "string", enum: ["opt1", "opt2"], enumNames: ["Option One", "Option Two"] },
  untitledMulti: { type: "array", items: { type: "string", enum: ["option1", "option2", "option3"] } },
  titledMulti: {
    type: "array",
    items: { anyOf: [titled("value1", "First Choice"), titled("value2", "Second Choice")] },
  },
};

/** What such a tool, or prompt, asks before it answers, round by round; and with a state where it has one. */
const ASKS: Readonly<Record<string, readonly Asked[]>> = {
  test_sampling: [{ model: said("Test prompt for sampling") }],
  test_missing_capability: [{ model: said("anything") }],
  test_elicitation: [{ person: form("Please provide your information", { username: { type: "string" } }) }],
  test_elicitation_sep1034_defaults: [{ person: form("Defaults", DEFAULTS) }],
  test_elicitation_sep1330_enums: [{ person: form("Enums", ENUMS) }],
  test_input_required_result_elicitation: [{ user_name: asksName }],
  test_input_required_result_sampling: [{ capital_question: said("What is the capital of France?") }],
  test_input_required_result_list_roots: [{ client_roots: inputRequired.listRoots() }],
  test_input_required_result_request_state: [asksYes],
  test_input_required_result_tampered_state: [asksYes],
  test_input_required_result_multiple_inputs: [
    { user_name: asksName, greeting: said("Generate a greeting"), client_roots: inputRequired.listRoots() },
  ],
  test_input_required_result_multi_round: [
    { step1: asksName },
    { step2: form("What is your favorite color?", { color: { type: "string" } }) },
  ],
  test_input_required_result_prompt: [{ user_context: form("What context?", { context: { type: "string" } }) }],
};

const TOOL_NAMES = [
  ...[...Object.keys(TOOLS), ...Object.keys(MEANWHILE), "test_input_required_result_capabilities"],
  ...Object.keys(ASKS).filter((name) => !Object.hasOwn(PROMPTS, name)),
];

/** What is asked next, or null where all of it was answered. */
function nextAsked(
  name: string,
  { inputResponses, requestState }: ServerContext["mcpReq"],
): InputRequiredResult | null {
  const rounds = ASKS[name] ?? [];
  const state = requestState<string>();
  const round = state === undefined ? 0 : Number(state);
  if (inputResponses === undefined && rounds[0] !== undefined) {
    return inputRequired({ inputRequests: { ...rounds[0] }, requestState: "1" });
  }
  const next = rounds[round];
  return next === undefined ? null : inputRequired({ inputRequests: { ...next }, requestState: String(round + 1) });
}

/** Asks only what the client of the request can answer. */
function asksWhatItCan({ envelope, inputResponses }: ServerContext["mcpReq"]): InputRequiredResult | null {
  const declared = (envelope as Readonly<Record<string, unknown>> | undefined)?.[CLIENT_CAPABILITIES_META_KEY];
  if (inputResponses !== undefined) return null;
  const { elicitation, sampling } = Object(declared) as Readonly<Record<string, unknown>>;
  return inputRequired({
    inputRequests: {
      ...(elicitation === undefined ? {} : { person: asksName }),
      ...(sampling === undefined ? {} : { model: said("anything") }),
    },
    requestState: "1",
  });
}

function fixture(): Server {
  const server = new Server(
    { name: "fixture", version: "1" },
    { capabilities: { tools: {}, resources: { subscribe: true }, prompts: {}, completions: {}, logging: {} } },
  );
  server.setRequestHandler("tools/list", async () => ({
    tools: TOOL_NAMES.map((name) => ({
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
    const asked =
      params.name === "test_input_required_result_capabilities"
        ? asksWhatItCan(mcpReq)
        : nextAsked(params.name, mcpReq);
    if (asked !== null) return asked;
    return TOOLS[params.name] ?? { content: [text(`state-ok: ${JSON.stringify(mcpReq.inputResponses ?? {})}`)] };
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
  server.setRequestHandler("prompts/get", async ({ params }, { mcpReq }) => {
    const asked = nextAsked(params.name, mcpReq);
    return asked ?? { messages: PROMPTS[params.name]?.get(params.arguments ?? {}) ?? [] };
  });
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
