/**
 * Reading the resources of an MCP server, and getting its prompts: two capabilities of each server beside its tools,
 * which are decided on, called and answered like tools. Subscribing to a resource, and completing the values of a
 * prompt or template, are uses of the same two, and so are decided like reading and getting.
 */
import {
  type CapabilityManifest,
  FemtoError,
  frozen,
  LIMITS,
  matchesTemplate,
  mcpToolName,
  PROMPT_GET,
  RESOURCE_READ,
  uriProblem,
} from "@femtoclaw/protocol";
import type { Capability, CapabilityCall, CapabilityOutcome, JsonObject } from "../capability.ts";
import type { ContentDefinition } from "./content-definition.ts";
import { type Completing, completionParams, completionResult } from "./mcp-completion.ts";
import { common, type McpServer } from "./mcp-tool.ts";
import { type UpstreamUse, upstreamOutcome } from "./upstream-call.ts";

/** Which of the two kinds of content is read. */
export type Reader = typeof RESOURCE_READ | typeof PROMPT_GET;

/** Asks the server one question about something of it that an operator accepted. */
export type AskUpstream = (
  question: UpstreamUse & {
    readonly definition: ContentDefinition;
    readonly method: "resources/read" | "prompts/get" | "completion/complete";
    readonly params: JsonObject;
  },
) => Promise<JsonObject>;

const SHORT = { type: "string", maxLength: LIMITS.completionChars };
const FILLED_IN = { type: "object", maxProperties: 32, additionalProperties: { type: "string" } };
const COMPLETE = {
  type: "object",
  additionalProperties: false,
  required: ["argument", "value"],
  properties: {
    argument: { type: "string", minLength: 1, maxLength: 64 },
    value: { type: "string", maxLength: LIMITS.completionChars },
  },
};

const ARGUMENTS: Readonly<Record<Reader, JsonObject>> = {
  [RESOURCE_READ]: {
    type: "object",
    additionalProperties: false,
    required: ["uri"],
    properties: {
      uri: { type: "string", minLength: 1, description: "One that is offered, or that a template makes." },
      subscribe: { const: true, description: "Tells of its changes from now on instead of reading it." },
      complete: { ...COMPLETE, description: "What a variable of the template that `uri` is could be, instead." },
      arguments: {
        ...FILLED_IN,
        additionalProperties: SHORT,
        description: "With `complete`: the template's other variables.",
      },
    },
  },
  [PROMPT_GET]: {
    type: "object",
    additionalProperties: false,
    required: ["name"],
    properties: {
      name: { type: "string", minLength: 1, description: "One that is offered, as its server calls it." },
      arguments: FILLED_IN,
      complete: { ...COMPLETE, description: "What an argument could be, instead of getting it." },
    },
  },
};

const WORDS: Readonly<Record<Reader, string>> = {
  [RESOURCE_READ]: "Reads a resource of the MCP server",
  [PROMPT_GET]: "Gets a prompt of the MCP server",
};

/** The offered content that a call refers to; null if there is none. */
export function contentMeant(
  reader: Reader,
  args: JsonObject,
  contents: readonly ContentDefinition[],
): ContentDefinition | null {
  const { uri, name, complete } = args;
  const named = reader === PROMPT_GET ? name : uri;
  // Completion is offered for the variables of a template, not for the resources that it makes.
  const ofResource = complete === undefined ? "resource" : "template";
  const kind = reader === PROMPT_GET ? "prompt" : ofResource;
  const exact = contents.find((one) => one.kind === kind && one.name === named);
  if (exact !== undefined || kind === "template" || typeof uri !== "string" || uriProblem(uri) !== null)
    return exact ?? null;
  return contents.find((one) => one.kind === "template" && matchesTemplate(one.name, uri)) ?? null;
}

export interface ReaderDefinition {
  readonly server: McpServer;
  readonly reader: Reader;
  /** Everything that this capability may get, and the digest of it, which the decision is about. */
  readonly accepted: readonly ContentDefinition[];
  readonly sha256: string;
}

/** The resources or the prompts of a server as one capability. */
export function mcpReaderCapability(
  { server, reader, accepted, sha256 }: ReaderDefinition,
  ask: AskUpstream,
): Capability {
  const manifest: CapabilityManifest = frozen({
    ...common(server.isSandboxed),
    name: mcpToolName(server.name, reader),
    description: `${WORDS[reader]} ${server.name}.`,
    input: ARGUMENTS[reader],
    arguments: [{ pointer: "", kind: "mcp_tool", server: server.name, tool: reader, definition: sha256 }],
  });
  return {
    manifest,
    isolation: "host",
    execute: async (call: CapabilityCall): Promise<CapabilityOutcome> =>
      await upstreamOutcome({ isSandboxed: server.isSandboxed, sha256, call }, async (use) => {
        const definition = contentMeant(reader, call.args, accepted);
        if (definition === null) throw new FemtoError("FEMTO_UPSTREAM_FAILED", "the server offers nothing of the kind");
        return await resultOf({ reader, args: call.args, server: server.name, question: { ...use, definition }, ask });
      }),
  };
}

interface Use {
  readonly reader: Reader;
  readonly args: JsonObject;
  readonly server: string;
  readonly question: Omit<Parameters<AskUpstream>[0], "method" | "params">;
  readonly ask: AskUpstream;
}

async function resultOf({ reader, args, server, question, ask }: Use): Promise<JsonObject> {
  const { complete, subscribe, uri = "" } = args;
  if (complete !== undefined) {
    const params = completionParams(args, complete as unknown as Completing);
    return completionResult(await ask({ ...question, method: "completion/complete", params }));
  }
  if (reader === PROMPT_GET)
    return promptResult(await ask({ ...question, method: "prompts/get", params: promptParams(args) }));
  if (subscribe !== true) return resourceResult(await ask({ ...question, method: "resources/read", params: { uri } }));
  const { relay, definition, view, signal } = question;
  if (relay === null) throw new FemtoError("FEMTO_UPSTREAM_FAILED", "nobody is there who could be told of changes");
  await relay.subscribe({ server, definition, uri: String(uri), view, signal });
  return { content: [], is_error: false, untrusted: true };
}

function promptParams({ name = "", arguments: given = {} }: JsonObject): JsonObject {
  return { name, arguments: given };
}

/** Resources are returned in the form in which tools return them: each is a part of the content. */
function resourceResult({ contents }: JsonObject): JsonObject {
  if (!Array.isArray(contents)) throw notWhatWasAsked("holds no contents");
  const content = contents.map((one): JsonObject => {
    const { uri, mimeType, text, blob } = Object(one) as JsonObject;
    const held = typeof text === "string" ? { text } : typeof blob === "string" ? { blob } : null;
    if (typeof uri !== "string" || held === null) throw notWhatWasAsked("holds contents that are none");
    return { type: "resource", resource: { uri, ...(typeof mimeType === "string" ? { mimeType } : {}), ...held } };
  });
  return { content, is_error: false, untrusted: true };
}

/**
 * INVARIANT: I8: a prompt is what its server wrote: its messages are data for the one who asked for it, and nobody's
 * orders.
 */
function promptResult({ description, messages }: JsonObject): JsonObject {
  if (!Array.isArray(messages)) throw notWhatWasAsked("holds no messages");
  const spoken = messages.map((one) => {
    const { role, content } = Object(one) as JsonObject;
    const isSpoken = (role === "user" || role === "assistant") && typeof Object(content).type === "string";
    if (!isSpoken || content === undefined) throw notWhatWasAsked("holds messages that are none");
    return { role, content };
  });
  const structured = { ...(typeof description === "string" ? { description } : {}), messages: spoken };
  return {
    content: spoken.map(({ content }) => content),
    structured_content: structured,
    is_error: false,
    untrusted: true,
  };
}

function notWhatWasAsked(how: string): FemtoError {
  return new FemtoError("FEMTO_UPSTREAM_FAILED", `the server's answer ${how}`);
}
