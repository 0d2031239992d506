/** An MCP server that is reached over HTTP: one request for each message, whose answer is JSON or a stream of events. */
import { FemtoError, printable } from "@femtoclaw/protocol";
import type { JsonObject } from "../capability.ts";
import type { BoundHost } from "../facts/bound-arguments.ts";
import { type Answer, exchange } from "../network/exchange.ts";
import { messageIn, resultIn, tooLarge, type UpstreamRequest, type UpstreamTransport } from "./upstream-transport.ts";

/** Bytes of an answer around its result: the envelope, and events of progress before it. */
const ENVELOPE_BYTES = 65_536;
/** LIMIT: time of a notification; nobody waits for what it does. */
const NOTIFY_MS = 5_000;

export interface HttpStart {
  /** Looks the host up and finds its secrets, anew for each request. Throws where it may not be reached. */
  bound(): Promise<BoundHost>;
  readonly headers: Readonly<Record<string, string>>;
}

export class HttpTransport implements UpstreamTransport {
  readonly ended: Promise<string>;
  readonly #start: HttpStart;
  readonly #ended = Promise.withResolvers<string>();
  readonly #closing = new AbortController();
  #session: string | null = null;
  #version: string | null = null;
  #lastId = 0;

  constructor(start: HttpStart) {
    this.#start = start;
    this.ended = this.#ended.promise;
  }

  async request({ method, params, signal, bytesMax }: UpstreamRequest): Promise<JsonObject> {
    this.#lastId += 1;
    const id = this.#lastId;
    const both = AbortSignal.any([signal, this.#closing.signal]);
    try {
      const answer = await this.#post({ id, method, params }, both, bytesMax + ENVELOPE_BYTES);
      return resultIn(answerTo(id, answer));
    } catch (error) {
      if (signal.aborted) void this.notify("notifications/cancelled", { requestId: id }).catch(() => undefined);
      if (this.#closing.signal.aborted) throw new FemtoError("FEMTO_UPSTREAM_FAILED", "the server was ended");
      if (error instanceof FemtoError && error.code === "FEMTO_FETCH_TOO_LARGE") throw tooLarge(bytesMax);
      if (error instanceof FemtoError && error.code === "FEMTO_FETCH_FAILED") {
        throw new FemtoError("FEMTO_UPSTREAM_FAILED", error.message);
      }
      throw error;
    }
  }

  async notify(method: string, params: JsonObject): Promise<void> {
    const signal = AbortSignal.any([AbortSignal.timeout(NOTIFY_MS), this.#closing.signal]);
    await this.#post({ method, params }, signal, ENVELOPE_BYTES);
  }

  agree(version: string): void {
    this.#version = version;
  }

  end(reason: string): void {
    this.#closing.abort();
    this.#ended.resolve(reason);
  }

  async #post(
    message: JsonObject & { readonly method: string; readonly params: JsonObject },
    signal: AbortSignal,
    bytesMax: number,
  ): Promise<Answer> {
    const host = await this.#start.bound();
    const headers = {
      ...this.#start.headers,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-method": message.method,
      ...nameOf(message.params),
      ...(this.#session === null ? {} : { "mcp-session-id": this.#session }),
      ...(this.#version === null ? {} : { "mcp-protocol-version": this.#version }),
    };
    const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...message }));
    const answer = await exchange({ host, method: "POST", headers, body }, signal, bytesMax, new Map(host.secrets));
    const session = answer.headers["mcp-session-id"];
    if (session !== undefined && /^[\x21-\x7e]{1,256}$/.test(session)) this.#session = session;
    // The next call begins a new one. Servers should say 404; some say 400.
    if ([400, 404].includes(answer.status) && this.#session !== null) this.end("its session there is over");
    // Also no redirect is followed: it would lead to where no operator sent anybody.
    if (answer.status < 200 || answer.status > 299) {
      throw new FemtoError("FEMTO_UPSTREAM_FAILED", `the server answered with status ${answer.status}`);
    }
    return answer;
  }
}

/** What is called, read or got: servers hold the body to it. */
function nameOf({ name, uri }: JsonObject): { readonly "mcp-name"?: string } {
  const named = name ?? uri;
  return typeof named === "string" ? { "mcp-name": named } : {};
}

/** The message that answers the request, among what came. */
function answerTo(id: number, { headers, body }: Answer): Readonly<Record<string, unknown>> {
  const text = body.toString("utf8");
  const isStream = (headers["content-type"] ?? "").startsWith("text/event-stream");
  const messages = (isStream ? eventsIn(text) : [text]).map(messageIn);
  const found = messages.find((message) => message?.["id"] === id && message["method"] === undefined);
  if (found === undefined || found === null) {
    const type = printable(headers["content-type"] ?? "no type", 64);
    throw new FemtoError("FEMTO_UPSTREAM_FAILED", `what the server answered (${type}) holds no answer to the request`);
  }
  return found;
}

function eventsIn(text: string): string[] {
  return text
    .split(/\r\n\r\n|\n\n|\r\r/)
    .map((event) =>
      event
        .split(/\r\n|\n|\r/)
        .filter((line) => line.startsWith("data:"))
        .map((line) => line.slice("data:".length).replace(/^ /, ""))
        .join("\n"),
    )
    .filter((data) => data !== "");
}
