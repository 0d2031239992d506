/** Clients of the 2025 era over HTTP. Each has a named session, and through that one session at the host. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { NodeStreamableHTTPServerTransport } from "@modelcontextprotocol/node";
import {
  isJSONRPCErrorResponse,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type RequestId,
} from "@modelcontextprotocol/server";
import { type Connect, HostSession } from "../host-session.ts";
import { makeServer, tellChanged } from "../server.ts";
import type { OpenRequest } from "./open-requests.ts";
import type { AllUnreadAnswers, UnreadAnswers } from "./unread-answers.ts";

/** LIMIT: sessions at once; the one that was idle longest makes room. */
export const HTTP_SESSIONS_MAX = 64;

/** A request with the message read from it. */
export interface HttpExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly open: OpenRequest;
  readonly message?: JSONRPCMessage | undefined;
}

interface HttpSession {
  readonly transport: NodeStreamableHTTPServerTransport;
  readonly host: HostSession;
  readonly unread: UnreadAnswers;
  /** Requests without an answer yet, whether the client still waits or has left. */
  readonly unanswered: Map<RequestId, OpenRequest>;
  /** Number of open requests and streams of notifications. */
  open: number;
}

export class HttpSessions {
  readonly #connect: Connect;
  readonly #waitMs: number;
  readonly #unread: AllUnreadAnswers;
  /** By name, in order of use, the latest last. */
  readonly #sessions = new Map<string, HttpSession>();

  constructor(connect: Connect, waitMs: number, unread: AllUnreadAnswers) {
    this.#connect = connect;
    this.#waitMs = waitMs;
    this.#unread = unread;
  }

  /**
   * Returns `unknown` if there is no such session, `twice` if the session still owes an answer to a request of this id.
   */
  async serve(name: string, exchange: HttpExchange): Promise<"served" | "unknown" | "twice"> {
    const session = this.#sessions.get(name);
    if (session === undefined) return "unknown";
    this.#sessions.delete(name);
    this.#sessions.set(name, session);
    const { message } = exchange;
    if (isJSONRPCRequest(message) && session.unanswered.has(message.id)) return "twice";
    await handle(session, exchange);
    return "served";
  }

  /** Begins a session with its first request. Returns false if there is no room. */
  async begin(exchange: HttpExchange): Promise<boolean> {
    if (!this.#makeRoom()) return false;
    const host = new HostSession(this.#connect);
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (name) => void this.#sessions.set(name, session),
    });
    const session: HttpSession = { transport, host, unread: this.#unread.client(), unanswered: new Map(), open: 0 };
    host.untilRead = () => session.unread.untilRead();
    hearAnswers(session);
    const server = makeServer({ host, waitMs: this.#waitMs, leavingCancels: false });
    host.onResourceUpdated = (uri) => void server.sendResourceUpdated({ uri }).catch(() => undefined);
    host.onToolsChanged = () => void tellChanged(server).catch(() => undefined);
    await server.connect(transport);
    const closed = transport.onclose;
    transport.onclose = () => {
      closed?.();
      if (transport.sessionId !== undefined) this.#sessions.delete(transport.sessionId);
      for (const id of session.unanswered.keys()) answered(session, id);
      session.unread[Symbol.dispose]();
      void host.close();
    };
    await handle(session, exchange);
    // An invalid first request has begun no session.
    if (transport.sessionId === undefined) await transport.close();
    return true;
  }

  async close(): Promise<void> {
    for (const { transport } of [...this.#sessions.values()]) await transport.close();
  }

  #makeRoom(): boolean {
    if (this.#sessions.size < HTTP_SESSIONS_MAX) return true;
    const idle = [...this.#sessions].find(([, { open }]) => open === 0);
    if (idle === undefined) return false;
    const [name, { transport }] = idle;
    this.#sessions.delete(name);
    void transport.close();
    return true;
  }
}

async function handle(session: HttpSession, { request, response, open, message }: HttpExchange): Promise<void> {
  // A client that left while its request was read has no end any more that could be heard, and is not there to read.
  if (!response.closed) {
    session.open += 1;
    session.unread.add(response);
    response.once("close", () => {
      session.open -= 1;
    });
  }
  if (isJSONRPCRequest(message)) {
    session.unanswered.set(message.id, open);
    open.awaitAnswer();
  }
  await session.transport.handleRequest(request, response, message);
  if (isJSONRPCRequest(message) && response.statusCode >= 400) answered(session, message.id);
  // A cancelled request gets no answer.
  if (isJSONRPCNotification(message) && message.method === "notifications/cancelled") {
    const id = message.params?.["requestId"];
    if (typeof id === "string" || typeof id === "number") answered(session, id);
  }
}

function hearAnswers(session: HttpSession): void {
  const { transport } = session;
  const send = transport.send.bind(transport);
  transport.send = async (said, options) => {
    const isAnswer = isJSONRPCResultResponse(said) || isJSONRPCErrorResponse(said);
    if (isAnswer && said.id !== undefined) answered(session, said.id);
    await send(said, options);
  };
}

function answered({ unanswered }: HttpSession, id: RequestId): void {
  unanswered.get(id)?.over();
  unanswered.delete(id);
}
