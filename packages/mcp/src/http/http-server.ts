/**
 * MCP over HTTP for clients on this machine, in both eras. The sender is checked before anything is read: a page in a
 * browser by Host and Origin, every other process by the token.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ConnectionPlaces } from "@femtoclaw/protocol";
import {
  localhostHostValidation,
  localhostOriginValidation,
  type NodeIncomingMessageLike,
  toNodeHandler,
  toWebRequest,
} from "@modelcontextprotocol/node";
import {
  createMcpHandler,
  INVALID_REQUEST,
  isInitializeRequest,
  isJsonContentType,
  isLegacyRequest,
  type JSONRPCMessage,
  type McpHttpHandler,
} from "@modelcontextprotocol/server";
import { type Connect, HostSession } from "../host-session.ts";
import { MESSAGE_BYTES_MAX, readMessage, refusal } from "../incoming.ts";
import { Listens } from "../listens.ts";
import { OVERLOADED, REQUEST_BYTES_MAX } from "../overload.ts";
import { makeServer, subscribe } from "../server.ts";
import { showsToken } from "./bearer-token.ts";
import { HttpSessions } from "./http-sessions.ts";
import { type OpenRequest, OpenRequests } from "./open-requests.ts";
import { AllUnreadAnswers } from "./unread-answers.ts";

const PATH = "/mcp";
const ADDRESS = "127.0.0.1";
/** LIMIT: connections at once on which the token was shown, and all others. */
const PLACES = { known: 256, strangers: 64 };
/** LIMIT: milliseconds for the headers of a request, and for all of it. */
const HEADERS_MS = 5_000;
const REQUEST_MS = 30_000;
/** Milliseconds between two checks of these limits; by default Node.js checks twice a minute. */
const LOOK_MS = 1_000;

export interface HttpOptions {
  readonly connect: Connect;
  readonly waitMs: number;
  /** 0 takes a free port. */
  readonly port: number;
  readonly token: string;
  /** Called with errors outside of the protocol. */
  onError(error: Error): void;
}

export interface McpHttpServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Rejects if the port cannot be had. */
export async function listenHttp(options: HttpOptions): Promise<McpHttpServer> {
  const endpoint = new Endpoint(options);
  const limits = { headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS, connectionsCheckingInterval: LOOK_MS };
  const server = createServer(limits, (request, response) => {
    endpoint.serve(request, response).catch((error: unknown) => {
      options.onError(error instanceof Error ? error : new Error(String(error)));
      refuse(response, 500, "the request could not be served");
    });
  });
  server.on("connection", endpoint.places.take);
  // A connection that cannot be accepted concerns only its client. Without a listener it would end all sessions.
  server.on("error", (error) => options.onError(error));
  server.listen(options.port, ADDRESS);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${ADDRESS}:${port}${PATH}`,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      await endpoint.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

class Endpoint {
  readonly places = new ConnectionPlaces(PLACES);
  readonly #token: string;
  readonly #sessions: HttpSessions;
  /** Clients of the 2026 era have no sessions of their own: all that show the token count as one client. */
  readonly #host: HostSession;
  readonly #handler: McpHttpHandler;
  readonly #modern: ReturnType<typeof toNodeHandler>;
  readonly #listens: Listens;
  readonly #isHere = localhostHostValidation();
  readonly #isFromHere = localhostOriginValidation();
  readonly #open = new OpenRequests();
  readonly #allUnread = new AllUnreadAnswers();
  /** Unread answers of the clients without a session. */
  readonly #unread = this.#allUnread.client();

  constructor({ connect, waitMs, token, onError }: HttpOptions) {
    this.#token = token;
    this.#sessions = new HttpSessions(connect, waitMs, this.#allUnread);
    const host = new HostSession(connect);
    this.#host = host;
    host.untilRead = () => this.#unread.untilRead();
    this.#handler = createMcpHandler(() => makeServer({ host, waitMs, leavingCancels: true }), {
      legacy: "reject",
      onerror: onError,
    });
    const { notify } = this.#handler;
    host.onToolsChanged = () => {
      notify.toolsChanged();
      notify.resourcesChanged();
      notify.promptsChanged();
    };
    host.onResourceUpdated = (uri) => notify.resourceUpdated(uri);
    this.#listens = new Listens({
      subscribe: async (uri) => {
        await subscribe({ host, waitMs }, uri);
        return true;
      },
      unsubscribe: (uri) => host.unsubscribe(uri),
    });
    this.#modern = toNodeHandler(this.#handler, { onerror: onError });
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // INVARIANT: I8: nothing in a request counts before it is known that the sender was given the token.
    if (!this.#isHere(request, response) || !this.#isFromHere(request, response)) return;
    // Only the first one was looked at, and somebody in between may go by the other one.
    if (request.headersDistinct["host"]?.length !== 1) return refuse(response, 400, "the request names two hosts");
    if (!showsToken(request, this.#token)) {
      response.setHeader("WWW-Authenticate", 'Bearer realm="femtoclaw"').setHeader("Connection", "close");
      return refuse(response, 401, "the bearer token is missing or wrong");
    }
    this.places.know(request.socket);
    if (request.url?.split("?", 1)[0] !== PATH) {
      return refuse(response, 404, `MCP is served at ${PATH}`);
    }
    const open = this.#open.begin();
    if (open === null) return refuse(response, 503, OVERLOADED.reason);
    response.once("close", () => open.left());
    if (request.method === "POST") return await this.#post(request, response, open);
    if (request.method === "GET" || request.method === "DELETE") return await this.#inSession(request, response, open);
    response.setHeader("Allow", "GET, POST, DELETE");
    return refuse(response, 405, "the method is not allowed");
  }

  async close(): Promise<void> {
    await this.#sessions.close();
    await this.#handler.close();
    await this.#host.close();
  }

  async #post(request: IncomingMessage, response: ServerResponse, open: OpenRequest): Promise<void> {
    const isPlain = request.headers["content-encoding"] === undefined;
    if (!isPlain || !isJsonContentType(request.headers["content-type"] ?? null)) {
      return refuse(response, 415, "the body must be application/json");
    }
    const bytes = await bodyOf(request, open);
    // Its client has left, so nobody is there to be told anything.
    if (bytes === "left") return;
    if (typeof bytes === "string") {
      response.setHeader("Connection", "close");
      if (bytes === "long") return refuse(response, 413, `the body is longer than ${MESSAGE_BYTES_MAX} bytes`);
      return refuse(response, 503, `${REQUEST_BYTES_MAX} bytes of requests have no answer yet`);
    }
    const read = readMessage(bytes);
    if (!read.ok) return answer(response, 400, read.response);
    const { message } = read;
    const like = request as NodeIncomingMessageLike;
    if (!(await isLegacyRequest(await toWebRequest(like, message), message))) {
      const admitted = await this.#listens.admit(message);
      if (response.closed || response.destroyed) return admitted.release();
      response.once("close", () => admitted.release());
      this.#unread.add(response);
      return await this.#modern(like, response, admitted.message);
    }
    if (sessionOf(request) !== undefined || !isInitializeRequest(message)) {
      return await this.#inSession(request, response, open, message);
    }
    const begun = await this.#sessions.begin({ request, response, open, message });
    if (!begun) refuse(response, 503, "too many sessions are open");
  }

  async #inSession(
    request: IncomingMessage,
    response: ServerResponse,
    open: OpenRequest,
    message?: JSONRPCMessage,
  ): Promise<void> {
    const name = sessionOf(request);
    if (name === undefined) return refuse(response, 400, "the header Mcp-Session-Id is missing");
    const served = await this.#sessions.serve(name, { request, response, open, message });
    if (served === "unknown") refuse(response, 404, "there is no such session");
    if (served === "twice") refuse(response, 400, "a request of this id has not been answered yet");
  }
}

function sessionOf({ headers }: IncomingMessage): string | undefined {
  const name = headers["mcp-session-id"];
  return typeof name === "string" ? name : undefined;
}

/**
 * The body, or why it was not read to its end: `long` if it is too long, `much` if it is too much together with all
 * others, `left` if its client left before.
 */
async function bodyOf(request: IncomingMessage, open: OpenRequest): Promise<Buffer | "long" | "much" | "left"> {
  if (Number(request.headers["content-length"] ?? 0) > MESSAGE_BYTES_MAX) return "long";
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request) {
      bytes += (chunk as Buffer).byteLength;
      if (bytes > MESSAGE_BYTES_MAX) return "long";
      if (!open.take((chunk as Buffer).byteLength)) return "much";
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    if (request.errored !== null && !request.complete) return "left";
    throw error;
  }
  return Buffer.concat(chunks);
}

function refuse(response: ServerResponse, status: number, reason: string): void {
  answer(response, status, refusal(null, INVALID_REQUEST, reason).response);
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}
