/**
 * The resources and prompts of all MCP servers behind the host, as one list for a client. A resource keeps the URI that
 * its server gives it; a prompt is named after its server and itself. Getting one is a call of the server's tool for
 * that.
 */
import {
  type McpContent,
  type McpContentKind,
  matchesTemplate,
  mcpToolName,
  PROMPT_GET,
  RESOURCE_READ,
  type Reply,
  splitMcpToolName,
  type ToolDescription,
} from "@femtoclaw/protocol";
import {
  type CompleteRequest,
  type CompleteResult,
  type GetPromptResult,
  type Prompt,
  ProtocolError,
  ProtocolErrorCode,
  type ReadResourceResult,
  type Resource,
  type ResourceTemplateType,
} from "@modelcontextprotocol/server";
import type { ToolCallText } from "./calls.ts";
import { contentOf, resourceOf } from "./relayed.ts";
import { refusalOf } from "./results.ts";

/** LIMIT: entries in one answer. */
const PAGE = 200;

const UNTRUSTED = { "dev.femtoclaw/untrusted": true } as const;

export interface ListPage<T> {
  readonly items: T[];
  readonly next: { readonly nextCursor?: string };
}

export function resourcePage(tools: readonly ToolDescription[], cursor: string | undefined): ListPage<Resource> {
  const named = unambiguous(tools, "resource").map(({ content: { name: uri, about } }) => ({ key: uri, about }));
  return pageOf(named, cursor, ({ key, about }) => ({ ...told(about), uri: key, name: text(about["name"]) ?? key }));
}

export function templatePage(
  tools: readonly ToolDescription[],
  cursor: string | undefined,
): ListPage<ResourceTemplateType> {
  const named = unambiguous(tools, "template").map(({ content: { name, about } }) => ({ key: name, about }));
  return pageOf(named, cursor, ({ key, about }) => ({
    ...told(about),
    uriTemplate: key,
    name: text(about["name"]) ?? key,
  }));
}

export function promptPage(tools: readonly ToolDescription[], cursor: string | undefined): ListPage<Prompt> {
  const named = offered(tools, "prompt").map(({ server, content: { name, about } }) => ({
    key: mcpToolName(server, name),
    about,
    server,
  }));
  return pageOf(named, cursor, ({ key, about, server }) => ({
    ...told(about),
    name: key,
    description: `[prompt of the MCP server ${server}, in its own words] ${text(about["description"]) ?? ""}`,
    ...(Array.isArray(about["arguments"]) ? { arguments: about["arguments"] as Prompt["arguments"] } : {}),
  }));
}

/** The call that reads this resource; null if no server offers it. Throws if several do. */
export function readingCall(tools: readonly ToolDescription[], uri: string): ToolCallText | null {
  const exact = offered(tools, "resource").filter(({ content }) => content.name === uri);
  const made = offered(tools, "template").filter(({ content }) => matchesTemplate(content.name, uri));
  const servers = [...new Set((exact.length > 0 ? exact : made).map(({ server }) => server))];
  const [server] = servers;
  if (server === undefined) return null;
  // INVARIANT: no server answers in the place of another one.
  if (servers.length > 1) {
    const named = servers.map((one) => mcpToolName(one, RESOURCE_READ)).join(" or ");
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, `several servers offer it: call ${named}`, { uri });
  }
  return { tool: mcpToolName(server, RESOURCE_READ), args: JSON.stringify({ uri }) };
}

/**
 * The call that asks for possible values of a template's variable or a prompt's argument. Throws if the template or
 * prompt is not offered.
 */
export function completingCall(tools: readonly ToolDescription[], asked: CompleteRequest["params"]): ToolCallText {
  const { ref, argument, context } = asked;
  const complete = { argument: argument.name, value: argument.value };
  const given = context?.arguments === undefined ? {} : { arguments: context.arguments };
  if (ref.type === "ref/prompt") {
    const { server, tool } = promptNamed(ref.name);
    return { tool: mcpToolName(server, PROMPT_GET), args: JSON.stringify({ name: tool, complete, ...given }) };
  }
  const servers = offered(tools, "template").filter(({ content }) => content.name === ref.uri);
  const [one, another] = servers;
  if (one === undefined || another !== undefined) {
    const reason = one === undefined ? "no template of this text is offered" : "several servers offer it";
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, reason, { uri: ref.uri });
  }
  return { tool: mcpToolName(one.server, RESOURCE_READ), args: JSON.stringify({ uri: ref.uri, complete, ...given }) };
}

/** Throws the refusal if the call was not completed. */
export function completionOf(reply: Reply): CompleteResult {
  const { values, total, hasMore } = Object(completed(reply)["structured_content"]) as Readonly<
    Record<string, unknown>
  >;
  const texts = (Array.isArray(values) ? values : []).filter((value) => typeof value === "string");
  const counted = { ...(typeof total === "number" ? { total } : {}), ...(hasMore === true ? { hasMore } : {}) };
  return { completion: { values: texts, ...counted }, _meta: UNTRUSTED };
}

/** The call that subscribes to this resource; null if no server offers it. */
export function subscribingCall(tools: readonly ToolDescription[], uri: string): ToolCallText | null {
  const reading = readingCall(tools, uri);
  return reading === null ? null : { tool: reading.tool, args: JSON.stringify({ uri, subscribe: true }) };
}

/** The call that gets this prompt. Throws if the name is not that of a prompt. */
export function gettingCall(name: string, given: Readonly<Record<string, string>> | undefined): ToolCallText {
  const named = promptNamed(name);
  const args = { name: named.tool, ...(given === undefined ? {} : { arguments: given }) };
  return { tool: mcpToolName(named.server, PROMPT_GET), args: JSON.stringify(args) };
}

function promptNamed(name: string): { readonly server: string; readonly tool: string } {
  const named = splitMcpToolName(name);
  if (named === null) throw new ProtocolError(ProtocolErrorCode.InvalidParams, "no prompt of this name is offered");
  return named;
}

/** Throws the refusal if the call was not completed. */
export function readingOf(reply: Reply): ReadResourceResult {
  const parts = completed(reply)["content"];
  const contents = (Array.isArray(parts) ? parts : []).map((part: unknown) => resourceOf(Object(part).resource));
  return { contents: contents.filter((one) => one !== null), _meta: UNTRUSTED };
}

export function promptOf(reply: Reply): GetPromptResult {
  const { description, messages } = Object(completed(reply)["structured_content"]) as Readonly<Record<string, unknown>>;
  return {
    ...(typeof description === "string" ? { description } : {}),
    messages: (Array.isArray(messages) ? messages : []).map(({ role, content }) => ({
      role: role === "assistant" ? ("assistant" as const) : ("user" as const),
      content: contentOf(Object(content)),
    })),
    _meta: UNTRUSTED,
  };
}

function completed(reply: Reply): Readonly<Record<string, unknown>> {
  if (reply.status === "completed") return reply.result ?? {};
  throw refusalOf(reply);
}

interface Offered {
  readonly server: string;
  readonly content: McpContent;
}

function offered(tools: readonly ToolDescription[], kind: McpContentKind): Offered[] {
  return tools.flatMap(({ name, offers = [] }) => {
    const server = splitMcpToolName(name)?.server;
    return server === undefined
      ? []
      : offers.filter((one) => one.kind === kind).map((content) => ({ server, content }));
  });
}

/** Leaves out what several servers offer under the same name, because nobody could tell whose it is. */
function unambiguous(tools: readonly ToolDescription[], kind: McpContentKind): Offered[] {
  const counts = new Map<string, number>();
  const all = offered(tools, kind);
  for (const { content } of all) counts.set(content.name, (counts.get(content.name) ?? 0) + 1);
  return all.filter(({ content }) => counts.get(content.name) === 1);
}

/** One page in the order of names. The cursor is the last name of the previous page. */
function pageOf<S extends { readonly key: string }, T>(
  named: readonly S[],
  cursor: string | undefined,
  show: (one: S) => T,
): ListPage<T> {
  const rest = named
    .filter(({ key }) => cursor === undefined || key > cursor)
    .sort((left, right) => (left.key < right.key ? -1 : 1));
  const page = rest.slice(0, PAGE);
  const last = page.at(-1);
  const next = rest.length > page.length && last !== undefined ? { nextCursor: last.key } : {};
  return { items: page.map(show), next };
}

function told({ title, description, mimeType }: McpContent["about"]): {
  title?: string;
  description?: string;
  mimeType?: string;
} {
  const shown = { title: text(title), description: text(description), mimeType: text(mimeType) };
  return Object.fromEntries(Object.entries(shown).filter(([, value]) => value !== undefined));
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
