/** A conversation with one MCP server: agreed on a revision of the protocol, then lists and calls. */
import { FemtoError, LIMITS, printable, VERSION } from "@femtoclaw/protocol";
import type { JsonObject } from "../capability.ts";
import { type ToolDefinition, toolDefinitions } from "./tool-definition.ts";
import { UpstreamRefusal, type UpstreamTransport } from "./upstream-transport.ts";

/** Revisions with a handshake that are spoken here, the newest first, and the one without. */
const HANDSHAKE = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];
const STATELESS = "2026-07-28";
const CLIENT = { name: "femtoclaw", version: VERSION };

/** LIMIT: bytes of one page of a list. */
const PAGE_BYTES = 4_194_304;

export class UpstreamSession {
  readonly #server: string;
  readonly #transport: UpstreamTransport;
  /** What goes with each request where there was no handshake. */
  #meta: JsonObject = {};

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
    const listed: unknown[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#request("tools/list", cursor === undefined ? {} : { cursor }, signal, PAGE_BYTES);
      const { tools, nextCursor } = page;
      if (!Array.isArray(tools)) throw new FemtoError("FEMTO_UPSTREAM_FAILED", "it lists no tools");
      listed.push(...tools.slice(0, LIMITS.upstreamTools + 1));
      const isEmpty = tools.length === 0;
      cursor = typeof nextCursor === "string" && !isEmpty ? nextCursor : undefined;
    } while (cursor !== undefined && listed.length <= LIMITS.upstreamTools);
    return toolDefinitions(this.#server, listed);
  }

  async call(tool: string, args: JsonObject, signal: AbortSignal, bytesMax: number): Promise<JsonObject> {
    const result = await this.#request("tools/call", { name: tool, arguments: args }, signal, bytesMax);
    const { resultType } = result;
    if (resultType === undefined || resultType === "complete") return result;
    // INVARIANT: I8: a server gets nothing out of whoever sits at the other end.
    throw new FemtoError("FEMTO_UPSTREAM_FAILED", `the server wants more than its arguments: ${shown(resultType)}`);
  }

  async #agree(signal: AbortSignal): Promise<void> {
    const [protocolVersion = ""] = HANDSHAKE;
    const asked = { protocolVersion, capabilities: {}, clientInfo: CLIENT };
    let version: unknown;
    try {
      ({ protocolVersion: version } = await this.#request("initialize", asked, signal, PAGE_BYTES));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return await this.#agreeStateless(signal);
    }
    if (typeof version !== "string" || !HANDSHAKE.includes(version)) {
      throw new FemtoError("FEMTO_UPSTREAM_FAILED", `it speaks ${shown(version)}, which is not spoken here`);
    }
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
    await this.#request("server/discover", {}, signal, PAGE_BYTES);
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
