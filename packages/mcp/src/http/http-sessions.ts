/** Clients of the 2025 era over HTTP: each has a session by name, and through it one session at the host. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { NodeStreamableHTTPServerTransport } from "@modelcontextprotocol/node";
import { type Connect, HostSession } from "../host-session.ts";
import { makeServer, tellChanged } from "../server.ts";

/** LIMIT: sessions at once; the one that was idle longest makes room. */
export const HTTP_SESSIONS_MAX = 64;

interface HttpSession {
  readonly transport: NodeStreamableHTTPServerTransport;
  readonly host: HostSession;
  /** Requests, and streams of notifications, that are open. */
  open: number;
}

export class HttpSessions {
  readonly #connect: Connect;
  readonly #waitMs: number;
  /** By name, those that were used last at the end. */
  readonly #sessions = new Map<string, HttpSession>();

  constructor(connect: Connect, waitMs: number) {
    this.#connect = connect;
    this.#waitMs = waitMs;
  }

  /** False where there is no such session. */
  async serve(name: string, request: IncomingMessage, response: ServerResponse, body: unknown): Promise<boolean> {
    const session = this.#sessions.get(name);
    if (session === undefined) return false;
    this.#sessions.delete(name);
    this.#sessions.set(name, session);
    await handle(session, request, response, body);
    return true;
  }

  /** Begins a session with its first request; false where there is room for none. */
  async begin(request: IncomingMessage, response: ServerResponse, body: unknown): Promise<boolean> {
    if (!this.#makeRoom()) return false;
    const host = new HostSession(this.#connect);
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (name) => void this.#sessions.set(name, session),
    });
    const session: HttpSession = { transport, host, open: 0 };
    const server = makeServer({ host, waitMs: this.#waitMs, leavingCancels: false });
    host.onResourceUpdated = (uri) => void server.sendResourceUpdated({ uri }).catch(() => undefined);
    host.onToolsChanged = () => void tellChanged(server).catch(() => undefined);
    await server.connect(transport);
    const closed = transport.onclose;
    transport.onclose = () => {
      closed?.();
      if (transport.sessionId !== undefined) this.#sessions.delete(transport.sessionId);
      void host.close();
    };
    await handle(session, request, response, body);
    // What was no valid beginning has begun nothing.
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

async function handle(
  session: HttpSession,
  request: IncomingMessage,
  response: ServerResponse,
  body: unknown,
): Promise<void> {
  session.open += 1;
  response.once("close", () => {
    session.open -= 1;
  });
  await session.transport.handleRequest(request, response, body);
}
