/**
 * An MCP server that is reached over HTTP. Each message is a request of its own, whose response is JSON or a stream of
 * events that are read as they arrive.
 */
import { errorText, FemtoError, LIMITS, printable } from "@femtoclaw/protocol";
import type { JsonObject } from "../capability.ts";
import type { BoundHost } from "../facts/bound-arguments.ts";
import { type BegunAnswer, converse, wholeOf } from "../network/exchange.ts";
import { SecretFilter } from "../network/secret-filter.ts";
import { eventsIn } from "./event-stream.ts";
import { messagesIn, UnaskedWindow } from "./unasked-window.ts";
import {
  isRequestId,
  type Listening,
  messageIn,
  type OnNotification,
  paramsOf,
  resultIn,
  tooLarge,
  UpstreamRefusal,
  type UpstreamRequest,
  type UpstreamTransport,
} from "./upstream-transport.ts";

/** Bytes of a response beside its result. */
const ENVELOPE_BYTES = 65_536;
/** LIMIT: bytes of a message that is no answer; a longer one is not even read. */
const NOTICE_BYTES = 65_536;
/** LIMIT: milliseconds for a notification, or for an answer to a server's question; nobody waits for their effect. */
const NOTIFY_MS = 5_000;
/** LIMIT: concurrent pongs, refusals and cancellations; a server could leave the connection of each of them open. */
const ASIDES = 8;

export interface HttpStart {
  /** Looks up the host and its secrets, anew for each request. Throws if it may not be reached. */
  bound(): Promise<BoundHost>;
  readonly headers: Readonly<Record<string, string>>;
}

type Message = Readonly<Record<string, unknown>>;

/** What is sent, and how the response is read. */
interface Sent<T> {
  readonly method: "POST" | "GET";
  /** Null for a request that only listens. */
  readonly message: JsonObject | null;
  readonly signal: AbortSignal;
  read(answer: BegunAnswer, filter: SecretFilter): Promise<T>;
}

/** A question that a server asks before it answers a request. */
interface Asked {
  readonly id: number | string;
  readonly method: string;
  readonly params: unknown;
  readonly over: AbortSignal | null;
}

/** Speaks to an MCP server over streamable HTTP. */
export class HttpTransport implements UpstreamTransport {
  readonly isStream = false;
  readonly ended: Promise<string>;
  readonly #start: HttpStart;
  readonly #ended = Promise.withResolvers<string>();
  readonly #closing = new AbortController();
  readonly #unasked = new UnaskedWindow();
  #session: string | null = null;
  #version: string | null = null;
  #lastId = 0;
  #asides = 0;

  constructor(start: HttpStart) {
    this.#start = start;
    this.ended = this.#ended.promise;
  }

  async request(request: UpstreamRequest): Promise<JsonObject> {
    const { method, signal, bytesMax } = request;
    this.#lastId += 1;
    const id = this.#lastId;
    const both = AbortSignal.any([signal, this.#closing.signal]);
    const message = { id, method, params: paramsOf(request, id) };
    const over = new AbortController();
    const open = { ...request, signal: AbortSignal.any([both, over.signal]) };
    try {
      const answer = await this.#send({
        method: "POST",
        message,
        signal: both,
        read: (begun, filter) => this.#answerTo(id, begun, filter, open),
      });
      return resultIn(answer);
    } catch (error) {
      if (signal.aborted) void this.#sayAside({ method: "notifications/cancelled", params: { requestId: id } });
      if (this.#closing.signal.aborted) throw new FemtoError("FEMTO_UPSTREAM_FAILED", "the server was ended");
      if (error instanceof FemtoError && error.code === "FEMTO_FETCH_TOO_LARGE") throw tooLarge(bytesMax);
      if (error instanceof FemtoError && error.code === "FEMTO_FETCH_FAILED") {
        throw new FemtoError("FEMTO_UPSTREAM_FAILED", error.message);
      }
      throw error;
    } finally {
      over.abort();
    }
  }

  async notify(method: string, params: JsonObject): Promise<void> {
    await this.#tell({ method, params });
  }

  async listen(asked: Listening | null, signal: AbortSignal, onNotification: OnNotification): Promise<void> {
    this.#lastId += 1;
    await this.#send({
      method: asked === null ? "GET" : "POST",
      message: asked === null ? null : { id: this.#lastId, ...asked },
      signal: AbortSignal.any([signal, this.#closing.signal]),
      read: async ({ headers, pieces }, filter) => {
        if (!isStream(headers)) return;
        for await (const event of eventsIn(this.#bearable(pieces), NOTICE_BYTES, () => tooLarge(NOTICE_BYTES))) {
          const { id, method, params }: Message = messageFrom(event, filter) ?? {};
          this.#bear({ messages: 1 });
          if (id === undefined && typeof method === "string") onNotification(printable(method, 64), params);
        }
      },
    });
  }

  agree(version: string): void {
    this.#version = version;
  }

  end(reason: string): void {
    this.#closing.abort();
    this.#ended.resolve(reason);
  }

  async #send<T>({ method, message, signal, read }: Sent<T>): Promise<T> {
    const host = await this.#start.bound();
    const headers = {
      ...this.#start.headers,
      accept: message === null ? "text/event-stream" : "application/json, text/event-stream",
      ...(message === null ? {} : { "content-type": "application/json", ...namesOf(message) }),
      ...(this.#session === null ? {} : { "mcp-session-id": this.#session }),
      ...(this.#version === null ? {} : { "mcp-protocol-version": this.#version }),
    };
    const body = message === null ? null : Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...message }));
    const filter = new SecretFilter(host.secrets);
    return await converse({ host, method, headers, body }, signal, filter, async (answer) => {
      const session = answer.headers["mcp-session-id"];
      if (session !== undefined && /^[\x21-\x7e]{1,256}$/.test(session)) this.#session = session;
      // The next call begins a new session. Servers should answer 404, but some answer 400.
      if (message !== null && [400, 404].includes(answer.status) && this.#session !== null) {
        this.end("its session there is over");
      }
      // Some servers give the reason in the body of a 400, where the answer would have been.
      if (answer.status === 400 && message !== null && "id" in message) {
        const said = messageFrom(await wholeOf(answer.pieces, ENVELOPE_BYTES), filter);
        if (said?.["error"] !== undefined && said["id"] === message["id"]) throw new UpstreamRefusal(said["error"]);
      }
      // Redirects are not followed either: they would lead to a place that no operator has named.
      if (answer.status < 200 || answer.status > 299) {
        throw new FemtoError("FEMTO_UPSTREAM_FAILED", `the server answered with status ${answer.status}`);
      }
      return await read(answer, filter);
    });
  }

  /** Reads the message that answers the request. Messages that come before it are passed on at once. */
  async #answerTo(
    id: number,
    { headers, pieces }: BegunAnswer,
    filter: SecretFilter,
    { bytesMax, onNotice, onAsked, signal }: UpstreamRequest,
  ): Promise<Message> {
    const most = bytesMax + ENVELOPE_BYTES;
    if (isStream(headers)) {
      let questions = 0;
      for await (const event of eventsIn(this.#bearable(pieces), most, () => tooLarge(bytesMax))) {
        const message = messageFrom(event, filter);
        if (isAnswer(message, id)) return message;
        this.#bear({ messages: messagesIn(event.length) });
        const { id: asked, method, params }: Message = message ?? {};
        if (typeof method !== "string") continue;
        if (asked === undefined) {
          if (event.length <= NOTICE_BYTES) onNotice?.(method, params);
        } else if (isRequestId(asked)) {
          questions += method === "ping" ? 0 : 1;
          const over = questions <= LIMITS.questionRounds ? signal : null;
          void this.#answerQuestion({ id: asked, method, params, over }, onAsked);
        }
      }
    } else {
      const found = messageFrom(await wholeOf(pieces, most), filter);
      if (isAnswer(found, id)) return found;
    }
    const type = printable(headers["content-type"] ?? "no type", 64);
    throw new FemtoError("FEMTO_UPSTREAM_FAILED", `what the server answered (${type}) holds no answer to the request`);
  }

  /** Answers a question until `over` is aborted, or, if that is null because the server asks too much, aside. */
  async #answerQuestion({ id, method, params, over }: Asked, onAsked: UpstreamRequest["onAsked"]): Promise<void> {
    if (method === "ping") return await this.#sayAside({ id, result: {} });
    const answer = await this.#answered(id, () => onAsked?.(printable(method, 64), params));
    await (over === null ? this.#sayAside(answer) : this.#say(answer, over));
  }

  /** Turns a question that a server asks before its answer into the message that answers it. */
  async #answered(id: number | string, ask: () => Promise<JsonObject> | undefined): Promise<JsonObject> {
    try {
      return { id, result: await (ask() ?? Promise.reject(new Error("not supported"))) };
    } catch (error) {
      return { id, error: { code: -32601, message: printable(errorText(error), 200) } };
    }
  }

  /** INVARIANT: I9: a server that accepts no messages occupies a few connections, and further ones are not sent. */
  async #sayAside(message: JsonObject): Promise<void> {
    if (this.#asides >= ASIDES) return;
    this.#asides += 1;
    try {
      await this.#say(message);
    } finally {
      this.#asides -= 1;
    }
  }

  /**
   * Sends without a limit of concurrent messages: an answer to a server's question goes out whatever else hangs,
   * because the server waits for it, and with it the call. There are few of these in one call, and they end with it.
   */
  async #say(message: JsonObject, over?: AbortSignal): Promise<void> {
    try {
      await this.#tell(message, over);
    } catch {
      // Whether the server took the message is its own business; calls notice if it is gone.
    }
  }

  /** Sends a message whose response nobody needs. */
  async #tell(message: JsonObject, over?: AbortSignal): Promise<void> {
    const ends = [AbortSignal.timeout(NOTIFY_MS), this.#closing.signal, ...(over === undefined ? [] : [over])];
    const signal = AbortSignal.any(ends);
    await this.#send({
      method: "POST",
      message,
      signal,
      read: async ({ pieces }) => void (await wholeOf(pieces, ENVELOPE_BYTES)),
    });
  }

  #bear(came: { readonly messages?: number; readonly bytes?: number }): void {
    const reason = this.#unasked.count(came);
    if (reason === null) return;
    this.end(reason);
    throw new FemtoError("FEMTO_UPSTREAM_FAILED", `the server is gone: ${reason}`);
  }

  async *#bearable(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
    for await (const piece of pieces) {
      this.#bear({ bytes: piece.byteLength });
      yield piece;
    }
  }
}

function isStream(headers: BegunAnswer["headers"]): boolean {
  return (headers["content-type"] ?? "").startsWith("text/event-stream");
}

function isAnswer(message: Message | null, id: number): message is Message {
  return message?.["id"] === id && message["method"] === undefined;
}

/** INVARIANT: I10: the request's own secrets are removed from what comes back before anything is read. */
function messageFrom(bytes: Buffer, filter: SecretFilter): Message | null {
  return messageIn(filter.bytes(bytes).toString("utf8"));
}

/**
 * Headers that name the method and its object, against which servers check the body. An answer to a server has neither.
 */
function namesOf({ method, params }: JsonObject): Readonly<Record<string, string>> {
  const { name, uri } = Object(params) as JsonObject;
  const named = name ?? uri;
  return {
    ...(typeof method === "string" ? { "mcp-method": method } : {}),
    ...(typeof named === "string" ? { "mcp-name": named } : {}),
  };
}
