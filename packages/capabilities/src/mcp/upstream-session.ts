/** A conversation with one MCP server: agreement on a revision of the protocol, then lists, calls and subscriptions. */
import { setTimeout as sleep } from "node:timers/promises";
import { type AskKind, FemtoError, LIMITS, type LogLevel, type McpContentKind } from "@femtoclaw/protocol";
import type { JsonObject } from "../capability.ts";
import { type Agreement, agree, capabilitiesOf, isRefusal, PAGE_BYTES } from "./agreement.ts";
import { CallAsides } from "./call-asides.ts";
import { type ContentDefinition, contentDefinitions, unusable } from "./content-definition.ts";
import { ListenPauses } from "./listen-pauses.ts";
import { type ToolDefinition, toolDefinitions } from "./tool-definition.ts";
import { ACKNOWLEDGED, type CallRelay, lowerLevel, UPDATED } from "./upstream-notice.ts";
import {
  type Listening,
  type OnNotification,
  UpstreamRefusal,
  type UpstreamRequest,
  type UpstreamTransport,
  valueText,
} from "./upstream-transport.ts";

/** The error by which a server says that its client declared too few capabilities for what it has to ask. */
const CAPABILITY_MISSING = -32_021;

/** How each kind of content is listed: the capability that announces it, the method, and the member of the answer. */
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

export interface UpstreamStart {
  readonly server: string;
  readonly transport: UpstreamTransport;
  /** What the server may ask its callers. */
  readonly mayAsk: readonly AskKind[];
}

/** The limits of one request to the server, and who receives what it says beside the answer. */
export interface Asking extends Pick<UpstreamRequest, "signal" | "bytesMax"> {
  readonly relay: CallRelay | null;
}

/** Receives the changes of one resource. */
export interface ResourceListener {
  updated(): void;
  ended(error: unknown): void;
}

/** LIMIT: milliseconds for a server to acknowledge that nobody listens any more. */
const UNSUBSCRIBE_MS = 5_000;

/** The conversation with one MCP server, from the first message to the last. */
export class UpstreamSession {
  readonly #server: string;
  readonly #transport: UpstreamTransport;
  readonly #mayAsk: readonly AskKind[];
  readonly #agreement: Agreement;
  /** The least severe log level that any caller asked for; each caller receives only what it asked for itself. */
  #logLevel: LogLevel | null = null;

  private constructor({ server, transport, mayAsk }: UpstreamStart, agreement: Agreement) {
    this.#mayAsk = mayAsk;
    this.#server = server;
    this.#transport = transport;
    this.#agreement = agreement;
  }

  /** Throws if the two cannot agree. The transport remains its maker's to end. */
  static async open(
    start: UpstreamStart,
    signal: AbortSignal,
    onNotification: OnNotification,
  ): Promise<UpstreamSession> {
    const session = new UpstreamSession(start, await agree(start.transport, start.mayAsk, signal));
    void session.#listen(onNotification);
    return session;
  }

  /**
   * Resolves once the server has agreed; its notifications are delivered until `held` aborts. Throws what the server
   * objects.
   */
  async subscribe(uri: string, held: AbortSignal, heard: ResourceListener): Promise<void> {
    if (Object(this.#has["resources"]).subscribe !== true) {
      throw new FemtoError("FEMTO_UPSTREAM_FAILED", "the server takes no subscriptions to its resources");
    }
    if (this.#isStateless) return await this.#subscribeStateless(uri, held, heard);
    const once = { signal: held, bytesMax: PAGE_BYTES };
    await this.#request("resources/subscribe", { uri }, once);
    const unsubscribe = (): void => {
      const signal = AbortSignal.timeout(UNSUBSCRIBE_MS);
      // If the server goes on sending, nobody listens.
      this.#request("resources/unsubscribe", { uri }, { ...once, signal }).catch(() => undefined);
    };
    held.addEventListener("abort", unsubscribe, { once: true });
  }

  /** Subscribes by a request of its own, which lasts as long as the subscription. */
  async #subscribeStateless(uri: string, held: AbortSignal, heard: ResourceListener): Promise<void> {
    const agreed = Promise.withResolvers<void>();
    const ended = new FemtoError("FEMTO_UPSTREAM_FAILED", "the server ended the subscription");
    const listening = this.#transport.listen(
      this.#listening({ resourceSubscriptions: [uri] }),
      held,
      (method, params) => {
        const { notifications, uri: changed } = Object(params) as Readonly<Record<string, unknown>>;
        const honoured: unknown = Object(notifications).resourceSubscriptions;
        if (method === ACKNOWLEDGED && Array.isArray(honoured) && honoured.includes(uri)) agreed.resolve();
        else if (method === UPDATED && changed === uri) heard.updated();
      },
    );
    listening.then(
      () => agreed.reject(ended),
      (error: unknown) => agreed.reject(error),
    );
    await agreed.promise;
    void listening.then(
      () => heard.ended(ended),
      (error: unknown) => heard.ended(error),
    );
  }

  /** Over HTTP, a server only sends notifications to a client that listens for them. */
  async #listen(onNotification: OnNotification): Promise<void> {
    const changing = ["tools", "resources", "prompts"].filter((lists) => Object(this.#has[lists]).listChanged === true);
    const subscribes = !this.#isStateless && Object(this.#has["resources"]).subscribe === true;
    if (changing.length === 0 && !subscribes) return;
    const filter = Object.fromEntries(changing.map((lists) => [`${lists}ListChanged`, true]));
    const over = new AbortController();
    void this.#transport.ended.then(() => over.abort());
    const pauses = new ListenPauses();
    while (!over.signal.aborted) {
      const beganMs = performance.now();
      try {
        await this.#transport.listen(this.#isStateless ? this.#listening(filter) : null, over.signal, onNotification);
      } catch (error) {
        // Servers need not support this; whether the server is there at all, calls find out.
        if (isRefusal(error)) return;
      }
      if (this.#transport.isStream) return;
      await sleep(pauses.after(performance.now() - beganMs), undefined, { signal: over.signal, ref: false }).catch(
        () => undefined,
      );
    }
  }

  #listening(notifications: JsonObject): Listening {
    return { method: "subscriptions/listen", params: { notifications, _meta: this.#agreement.meta ?? {} } };
  }

  /**
   * All tools that the server offers. Throws if it returns something else than a list of tools, or too many of them.
   */
  async tools(signal: AbortSignal): Promise<ToolDefinition[]> {
    const { tools, resources, prompts } = this.#has;
    // A server that declares nothing at all is asked nevertheless.
    if (tools === undefined && (resources ?? prompts) !== undefined) return [];
    const listed = await this.#list("tools/list", "tools", LIMITS.upstreamTools, signal);
    return toolDefinitions(this.#server, listed);
  }

  /**
   * Its resources, templates and prompts. A list that is malformed becomes an entry that cannot be offered; tools go
   * on.
   */
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
        // Servers with resources need not support templates.
        if (kind === "template" && error instanceof UpstreamRefusal) continue;
        found.push(unusable(kind, error.message));
      }
    }
    return found;
  }

  /** Whether the server declares this capability. */
  has(capability: string): boolean {
    return this.#has[capability] !== undefined;
  }

  async call(tool: string, args: JsonObject, asking: Asking): Promise<JsonObject> {
    return await this.ask("tools/call", { name: tool, arguments: args }, asking);
  }

  async ask(method: string, params: JsonObject, { relay, signal, bytesMax }: Asking): Promise<JsonObject> {
    using asides = new CallAsides({ server: this.#server, mayAsk: this.#mayAsk, relay, signal });
    const level = relay?.logLevel ?? null;
    if (level !== null) await this.#log(level, signal);
    const meta: JsonObject = {
      ...(level === null ? {} : { "io.modelcontextprotocol/logLevel": level }),
      "io.modelcontextprotocol/clientCapabilities": capabilitiesOf(asides.may),
    };
    const held = { signal, bytesMax, ...asides.heard };
    for (let more: JsonObject = {}; ; ) {
      const asked = this.#request(method, { ...params, ...more }, held, this.#isStateless ? meta : {});
      const { resultType, inputRequests, requestState, ...result } = await asked.catch(couldNotAsk);
      if (resultType === undefined || resultType === "complete") return result;
      if (resultType !== "input_required") {
        throw new FemtoError("FEMTO_UPSTREAM_FAILED", `the server answered with ${valueText(resultType, 64)}`);
      }
      const inputResponses = await asides.answers(inputRequests);
      more = { inputResponses, ...(typeof requestState === "string" ? { requestState } : {}) };
    }
  }

  /**
   * A server with a handshake has one log level for all callers; what it sends is given to those who asked for as much.
   */
  async #log(asked: LogLevel, signal: AbortSignal): Promise<void> {
    const level = lowerLevel(this.#logLevel, asked);
    if (this.#isStateless || level === this.#logLevel || !this.has("logging")) return;
    this.#logLevel = level;
    // If the server refuses, it logs as it likes, and the call goes on.
    await this.#request("logging/setLevel", { level }, { signal, bytesMax: PAGE_BYTES }).catch(() => undefined);
  }

  get #isStateless(): boolean {
    return this.#agreement.meta !== null;
  }

  /** The capabilities that the server has declared. */
  get #has(): Agreement["has"] {
    return this.#agreement.has;
  }

  /**
   * Reads a list page by page, until it has more than `most` entries. INVARIANT: I9: the list as a whole has a limit of
   * its own: as many pages as there may be entries, each as large as a page may be, would be gigabytes.
   */
  async #list(method: string, member: string, most: number, signal: AbortSignal): Promise<unknown[]> {
    const listed: unknown[] = [];
    let bytes = 0;
    let cursor: string | undefined;
    do {
      const page = await this.#request(method, cursor === undefined ? {} : { cursor }, {
        signal,
        bytesMax: PAGE_BYTES,
      });
      const { [member]: part, nextCursor } = page;
      if (!Array.isArray(part)) throw new FemtoError("FEMTO_UPSTREAM_FAILED", `it lists no ${member}`);
      const taken = part.slice(0, most + 1);
      bytes += Buffer.byteLength(JSON.stringify(taken));
      if (bytes > PAGE_BYTES) {
        throw new FemtoError("FEMTO_UPSTREAM_FAILED", `it lists more than ${PAGE_BYTES} bytes of ${member}`);
      }
      listed.push(...taken);
      const isEmpty = part.length === 0;
      cursor = typeof nextCursor === "string" && !isEmpty ? nextCursor : undefined;
    } while (cursor !== undefined && listed.length <= most);
    return listed;
  }

  async #request(
    method: string,
    params: JsonObject,
    held: Pick<UpstreamRequest, "signal" | "bytesMax" | "onNotice">,
    more: JsonObject = {},
  ): Promise<JsonObject> {
    const { meta } = this.#agreement;
    const added = meta === null ? {} : { _meta: { ...meta, ...more } };
    return await this.#transport.request({ method, params: { ...params, ...added }, ...held });
  }
}

/** Rethrows the error; that a server could not even ask is a fault of its own kind. */
function couldNotAsk(error: unknown): never {
  const isMissing = error instanceof UpstreamRefusal && error.number === CAPABILITY_MISSING;
  throw isMissing ? new FemtoError("FEMTO_UPSTREAM_ASKS", error.message) : error;
}
