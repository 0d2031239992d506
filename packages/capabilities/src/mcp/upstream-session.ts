/** A conversation with one MCP server: agreed on a revision of the protocol, then lists and calls. */
import { FemtoError, LIMITS, type McpContentKind, printable, VERSION } from "@femtoclaw/protocol";
import type { JsonObject } from "../capability.ts";
import { type ContentDefinition, contentDefinitions, unusable } from "./content-definition.ts";
import { type ToolDefinition, toolDefinitions } from "./tool-definition.ts";
import { UpstreamRefusal, type UpstreamTransport } from "./upstream-transport.ts";

/** Revisions with a handshake that are spoken here, the newest first, and the one without. */
const HANDSHAKE = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];
const STATELESS = "2026-07-28";
const CLIENT = { name: "femtoclaw", version: VERSION };

/** LIMIT: bytes of one page of a list. */
const PAGE_BYTES = 4_194_304;

/** How what is no tool is listed: by what a server says it has, and in which member of the answer. */
const CONTENTS = [
  { kind: "resource", has: "resources", method: "resources/list", member: "resources" },
  { kind: "template", has: "resources", method: "resources/templates/list", member: "resourceTemplates" },
  { kind: "prompt", has: "prompts", method: "prompts/list", member: "prompts" },
] as const satisfies readonly {
  readonly kind: McpContentKind;
  readonly has: string;
  readonly method: string;
  readonly member: string;
}[];

export class UpstreamSession {
  readonly #server: string;
  readonly #transport: UpstreamTransport;
  /** What goes with each request where there was no handshake. */
  #meta: JsonObject = {};
  /** What the server says it has. */
  #has: Readonly<Record<string, unknown>> = {};

  private constructor(server: string, transport: UpstreamTransport) {
    this.#server = server;
    this.#transport = transport;
  }

  /** Throws what keeps the two from talking; the transport is whoever's made it. */
  static async open(server: string, transport: UpstreamTransport, signal: AbortSignal): Promise<UpstreamSession> {
    const session = new UpstreamSession(server, transport);
    await session.#agree(signal);
    return session;
  }

  /** Everything that it offers. Throws where that is no list of tools, or one of too many. */
  async tools(signal: AbortSignal): Promise<ToolDefinition[]> {
    const { tools, resources, prompts } = this.#has;
    // Who says nothing of itself is asked all the same.
    if (tools === undefined && (resources ?? prompts) !== undefined) return [];
    const listed = await this.#list("tools/list", "tools", LIMITS.upstreamTools, signal);
    return toolDefinitions(this.#server, listed);
  }

  /** Its resources, templates and prompts; what of them is no list is one that is refused, and the tools go on. */
  async contents(signal: AbortSignal): Promise<ContentDefinition[]> {
    const found: ContentDefinition[] = [];
    for (const { kind, has, method, member } of CONTENTS) {
      if (this.#has[has] === undefined) continue;
      try {
        const listed = await this.#list(method, member, LIMITS.upstreamContents, signal);
        found.push(...contentDefinitions(this.#server, kind, listed));
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof FemtoError)) throw error;
        // Servers with resources need not know any templates.
        if (kind === "template" && error instanceof UpstreamRefusal) continue;
        found.push(unusable(kind, error.message));
      }
    }
    return found;
  }

  async call(tool: string, args: JsonObject, signal: AbortSignal, bytesMax: number): Promise<JsonObject> {
    return await this.ask("tools/call", { name: tool, arguments: args }, signal, bytesMax);
  }

  async ask(method: string, params: JsonObject, signal: AbortSignal, bytesMax: number): Promise<JsonObject> {
    const result = await this.#request(method, params, signal, bytesMax);
    const { resultType } = result;
    if (resultType === undefined || resultType === "complete") return result;
    // INVARIANT: I8: a server gets nothing out of whoever sits at the other end.
    throw new FemtoError("FEMTO_UPSTREAM_FAILED", `the server wants more than its arguments: ${shown(resultType)}`);
  }

  /** Page by page, until there are more than `most`. */
  async #list(method: string, member: string, most: number, signal: AbortSignal): Promise<unknown[]> {
    const listed: unknown[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#request(method, cursor === undefined ? {} : { cursor }, signal, PAGE_BYTES);
      const { [member]: part, nextCursor } = page;
      if (!Array.isArray(part)) throw new FemtoError("FEMTO_UPSTREAM_FAILED", `it lists no ${member}`);
      listed.push(...part.slice(0, most + 1));
      const isEmpty = part.length === 0;
      cursor = typeof nextCursor === "string" && !isEmpty ? nextCursor : undefined;
    } while (cursor !== undefined && listed.length <= most);
    return listed;
  }

  async #agree(signal: AbortSignal): Promise<void> {
    const [protocolVersion = ""] = HANDSHAKE;
    const asked = { protocolVersion, capabilities: {}, clientInfo: CLIENT };
    let version: unknown;
    let capabilities: unknown;
    try {
      ({ protocolVersion: version, capabilities } = await this.#request("initialize", asked, signal, PAGE_BYTES));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return await this.#agreeStateless(signal);
    }
    if (typeof version !== "string" || !HANDSHAKE.includes(version)) {
      throw new FemtoError("FEMTO_UPSTREAM_FAILED", `it speaks ${shown(version)}, which is not spoken here`);
    }
    this.#has = Object(capabilities) as Readonly<Record<string, unknown>>;
    this.#transport.agree(version);
    await this.#transport.notify("notifications/initialized", {});
  }

  /** Servers of the later era know no handshake: each request says all that an answer depends on. */
  async #agreeStateless(signal: AbortSignal): Promise<void> {
    this.#meta = {
      "io.modelcontextprotocol/protocolVersion": STATELESS,
      "io.modelcontextprotocol/clientCapabilities": {},
      "io.modelcontextprotocol/clientInfo": CLIENT,
    };
    this.#transport.agree(STATELESS);
    const { capabilities } = await this.#request("server/discover", {}, signal, PAGE_BYTES);
    this.#has = Object(capabilities) as Readonly<Record<string, unknown>>;
  }

  async #request(method: string, params: JsonObject, signal: AbortSignal, bytesMax: number): Promise<JsonObject> {
    const meta = Object.keys(this.#meta).length === 0 ? {} : { _meta: this.#meta };
    return await this.#transport.request({ method, params: { ...params, ...meta }, signal, bytesMax });
  }
}

/** Over HTTP a server that knows no handshake may say so by a status alone. */
function isRefusal(error: unknown): boolean {
  if (error instanceof UpstreamRefusal) return true;
  return error instanceof FemtoError && /answered with status 4\d\d$/.test(error.message);
}

function shown(value: unknown): string {
  return printable(String(value), 64);
}
