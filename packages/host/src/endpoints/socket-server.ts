/**
 * Serves one socket: lines in, lines out, several requests of a connection at once. Each connection gets
 * handlers of its own; what it may ask is what its handlers offer, and nothing else exists for it.
 */
import { createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import {
  ERRORS,
  type ErrorCode,
  errorText,
  FemtoError,
  LIMITS,
  LineSplitter,
  parseStrictJson,
  printable,
  type SocketError,
  type SocketResponse,
  writeTogether,
} from "@femtoclaw/protocol";
import { clearStaleSocket, unusable } from "./socket-directory.ts";

/** `id` is the request's own, under which its connection can speak of it later. */
export type Handler = (fields: Readonly<Record<string, unknown>>, id: number) => Promise<unknown> | unknown;

export interface ConnectionHandlers {
  readonly verbs: Readonly<Record<string, Handler>>;
  /** Its client says nothing more, as one that was killed; it may still read. */
  onLeaving?(): void;
  onClosed(): void;
}

/** LIMIT: bytes that wait to be read by a slow client before its further requests wait too. */
const UNREAD_BYTES_MAX = 8 * 1024 * 1024;
/** LIMIT: lines of one connection that are taken up in one turn of the loop; then the others have theirs. */
const LINES_PER_TURN = 8;
/** LIMIT: time that a stopping host gives a client to read its last answers. */
const LAST_ANSWERS_MS = 2_000;

const REQUEST_LIMITS = { bytes: LIMITS.socketLineBytes, depth: 8, nodes: 64 };

export class SocketServer {
  readonly #server: Server;
  readonly #connections = new Map<Socket, Connection>();

  private constructor(onConnection: () => ConnectionHandlers) {
    // A client that has said all it wants to say still gets its answers.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      if (!this.#hasPlace()) return refuse(socket);
      this.#connections.set(socket, new Connection(socket, onConnection()));
      socket.once("close", () => this.#connections.delete(socket));
    });
  }

  static async listen(path: string, onConnection: () => ConnectionHandlers): Promise<SocketServer> {
    await clearStaleSocket(path);
    const server = new SocketServer(onConnection);
    await new Promise<void>((resolve, reject) => {
      server.#server.once("error", (error) => reject(unusable(path, error)));
      // INVARIANT: I8: the socket is born private; there is no moment in which others could connect. It is
      // made within this call, so that nothing else is made under this mask.
      const umask = process.umask(0o177);
      server.#server.listen(path, resolve);
      process.umask(umask);
    });
    return server;
  }

  /** Stops listening and, after what was answered is read or the time for it is over, ends the connections. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const socket of this.#connections.keys()) socket.destroySoon();
    await Promise.race([closed, sleep(LAST_ANSWERS_MS, undefined, { ref: false })]);
    for (const socket of this.#connections.keys()) socket.destroy();
    await closed;
  }

  /** INVARIANT: I9: whoever only holds connections, and asks for nothing on them, keeps nobody out. */
  #hasPlace(): boolean {
    if (this.#connections.size < LIMITS.socketConnections) return true;
    for (const [socket, { hasAsked }] of this.#connections) {
      if (hasAsked) continue;
      this.#connections.delete(socket);
      refuse(socket);
      return true;
    }
    return false;
  }
}

/** Says why, for whoever reads it, and ends. */
function refuse(socket: Socket): void {
  const reason = `${LIMITS.socketConnections} connections to this socket are open, and it takes no more`;
  socket.on("error", () => socket.destroy());
  socket.write(failure(null, "FEMTO_OVERLOADED", reason));
  socket.destroySoon();
}

class Connection {
  readonly #socket: Socket;
  readonly #verbs: ConnectionHandlers["verbs"];
  /** Whole lines that came together with those taken up; at most a few chunks of them. */
  readonly #lines: Buffer[] = [];
  #unanswered = 0;
  #isEnding = false;
  /** Whether it has taken up what it may in this turn of the loop. */
  #hasHadTurn = false;
  /** Whether a whole line of it was taken up. */
  hasAsked = false;

  constructor(socket: Socket, handlers: ConnectionHandlers) {
    this.#socket = socket;
    this.#verbs = handlers.verbs;
    const splitter = new LineSplitter(LIMITS.socketLineBytes, {
      onLine: (line) => void this.#lines.push(line),
      onTooLong: () => {
        const reason = `a line is longer than ${LIMITS.socketLineBytes} bytes`;
        this.#write(failure(null, "FEMTO_SOCKET_REQUEST", reason));
      },
    });
    socket.on("data", (chunk) => {
      splitter.push(chunk as Buffer);
      this.#goOn();
    });
    // INVARIANT: only whole lines count; what a client began and did not end was never asked.
    socket.on("end", () => {
      this.#isEnding = true;
      handlers.onLeaving?.();
      this.#goOn();
    });
    socket.on("drain", () => this.#goOn());
    // A broken connection is the client's affair; what it proposed goes on and is recorded.
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#lines.length = 0;
      handlers.onClosed();
    });
  }

  /** Takes up lines while there is room; a client that asks faster than it reads its answers waits, nobody else does. */
  #goOn(): void {
    if (!this.#hasHadTurn) this.#takeUp();
    if (this.#isEnding && this.#unanswered === 0 && this.#lines.length === 0) this.#socket.end();
    else if (this.#hasRoom() && this.#lines.length === 0) this.#socket.resume();
    else this.#socket.pause();
  }

  // INVARIANT: I9: nobody waits for all that one client sent at once; between two portions of it the others have their turn.
  #takeUp(): void {
    for (let taken = 0; taken < LINES_PER_TURN; taken += 1) {
      const line = this.#hasRoom() ? this.#lines.shift() : undefined;
      if (line === undefined) return;
      this.hasAsked = true;
      this.#unanswered += 1;
      void respond(line, this.#verbs).then((response) => {
        this.#unanswered -= 1;
        this.#write(response);
        this.#goOn();
      });
    }
    if (this.#lines.length === 0) return;
    this.#hasHadTurn = true;
    setImmediate(() => {
      this.#hasHadTurn = false;
      this.#goOn();
    });
  }

  #hasRoom(): boolean {
    return this.#unanswered < LIMITS.socketPipeline && this.#socket.writableLength <= UNREAD_BYTES_MAX;
  }

  #write(line: string): void {
    if (this.#socket.writable) writeTogether(this.#socket, line);
  }
}

/** The line that answers the request; never throws. */
async function respond(line: Buffer, verbs: ConnectionHandlers["verbs"]): Promise<string> {
  const parsed = parseStrictJson(line, REQUEST_LIMITS);
  if (!parsed.ok) return failure(null, "FEMTO_SOCKET_REQUEST", parsed.fault.reason);
  const request = parsed.value;
  if (request === null || typeof request !== "object" || Array.isArray(request)) {
    return failure(null, "FEMTO_SOCKET_REQUEST", "the line is not an object");
  }
  const { id, verb, ...fields } = request;
  if (typeof id !== "number" || !Number.isSafeInteger(id)) {
    return failure(null, "FEMTO_SOCKET_REQUEST", "`id` must be an integer");
  }
  if (typeof verb !== "string") return failure(id, "FEMTO_SOCKET_REQUEST", "`verb` must be a string");
  const handler = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  if (handler === undefined) return failure(id, "FEMTO_VERB_UNKNOWN", `no verb \`${printable(verb, 64)}\` here`);
  try {
    const value = (await handler(fields, id)) ?? null;
    // Within the guard, because an answer can be larger than a text can be.
    return encoded({ id, ok: true, value });
  } catch (error) {
    if (error instanceof FemtoError) return failure(id, error.code, error.message, error.fix);
    return failure(id, "FEMTO_INTERNAL", errorText(error));
  }
}

function failure(id: number | null, code: ErrorCode, reason: string, fix?: string): string {
  const error: SocketError = { code, reason, fix: fix ?? ERRORS[code].fix };
  return encoded({ id, ok: false, error });
}

function encoded(response: SocketResponse): string {
  return `${JSON.stringify(response)}\n`;
}
