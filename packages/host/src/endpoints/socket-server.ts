/**
 * Serves one socket: lines in, lines out, several requests of a connection at once. Each connection gets handlers of
 * its own, and can ask only for what these offer.
 */
import { createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import {
  ERRORS,
  type ErrorCode,
  faultOf,
  LIMITS,
  LineSplitter,
  parseStrictJson,
  printable,
  type SocketError,
  type SocketResponse,
  writeTogether,
} from "@femtoclaw/protocol";
import { AnswerTurns } from "./answer-turns.ts";
import { LineTurns } from "./line-turns.ts";
import { clearStaleSocket, unusable } from "./socket-directory.ts";
import { SocketMemory } from "./socket-memory.ts";
import { SocketPlaces } from "./socket-places.ts";

/**
 * `id` is the identifier of the request, by which its connection can refer to it later. `turns` put the connection's
 * large answers in order.
 */
export type Handler = (
  fields: Readonly<Record<string, unknown>>,
  id: number,
  turns: AnswerTurns,
) => Promise<unknown> | unknown;

export interface ConnectionHandlers {
  readonly verbs: Readonly<Record<string, Handler>>;
  /** The client sends nothing more, for example because it was killed. It may still read. */
  onLeaving?(): void;
  onClosed(): void;
}

/**
 * LIMIT: lines of one connection that are taken up in one turn of the loop; then the other connections have their turn.
 */
const LINES_PER_TURN = 8;
/** LIMIT: time that a stopping host gives a client to read its last answers. */
const LAST_ANSWERS_MS = 2_000;
/**
 * LIMIT: clients that were told that there is no place and have not disconnected yet. If there are more, the oldest is
 * disconnected.
 */
const TURNED_AWAY_MAX = 64;

/** Time after which the host looks again whether clients that wait for an answer are still there. */
const LOOK_MS = 1_000;

const NEWLINE = 0x0a;
const NOTHING = Buffer.alloc(0);
const REQUEST_LIMITS = { bytes: LIMITS.socketLineBytes, depth: 8, nodes: 64 };

export class SocketServer {
  readonly #server: Server;
  readonly #connections = new Map<Socket, Connection>();
  #looking: NodeJS.Timeout | null = null;
  readonly #turnedAway = new Set<Socket>();
  readonly #places = new SocketPlaces<Connection>((connection) => connection.leave());
  readonly #shared: Shared = { memory: new SocketMemory(this.#connections), lines: new LineTurns() };

  private constructor(onConnection: () => ConnectionHandlers) {
    // A client that has sent all its requests still gets its answers.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      if (!this.#places.hasRoom()) return this.#turnAway(socket);
      const connection = new Connection(socket, onConnection(), this.#shared);
      this.#connections.set(socket, connection);
      this.#looking ??= setInterval(() => this.#look(), LOOK_MS).unref();
      this.#places.add(connection);
      socket.once("close", () => {
        this.#connections.delete(socket);
        this.#places.remove(connection);
      });
    });
  }

  static async listen(path: string, onConnection: () => ConnectionHandlers): Promise<SocketServer> {
    await clearStaleSocket(path);
    const server = new SocketServer(onConnection);
    await new Promise<void>((resolve, reject) => {
      server.#server.once("error", (error) => reject(unusable(path, error)));
      // INVARIANT: I8: the socket is private from the beginning, so there is no moment in which others could connect.
      // It is made within this call, so that nothing else is made under this umask.
      const umask = process.umask(0o177);
      server.#server.listen(path, resolve);
      process.umask(umask);
    });
    return server;
  }

  /** Stops listening, and ends the connections once their answers are read or the time for that is over. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const socket of this.#connections.keys()) socket.destroySoon();
    for (const socket of this.#turnedAway) socket.destroy();
    await Promise.race([closed, sleep(LAST_ANSWERS_MS, undefined, { ref: false })]);
    for (const socket of this.#connections.keys()) socket.destroy();
    await closed;
  }

  #look(): void {
    for (const connection of this.#connections.values()) connection.touch();
    if (this.#connections.size > 0 || this.#looking === null) return;
    clearInterval(this.#looking);
    this.#looking = null;
  }

  /**
   * Tells the client why it is turned away. Ending the connection is left to the client, which could not read the
   * reason any more once it wrote to a connection that is gone.
   */
  #turnAway(socket: Socket): void {
    this.#turnedAway.add(socket);
    socket.once("close", () => this.#turnedAway.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.setTimeout(LAST_ANSWERS_MS, () => socket.destroy());
    socket.resume().end(full());
    const [first] = this.#turnedAway;
    if (this.#turnedAway.size > TURNED_AWAY_MAX) first?.destroy();
  }
}

function full(): string {
  const reason = `${LIMITS.socketConnections} connections to this socket are open, and it takes no more`;
  return failure(null, "FEMTO_OVERLOADED", reason);
}

/** What all connections of one socket share. */
interface Shared {
  readonly memory: SocketMemory;
  readonly lines: LineTurns;
}

class Connection {
  readonly #socket: Socket;
  readonly #verbs: ConnectionHandlers["verbs"];
  readonly #memory: SocketMemory;
  readonly #lines: LineTurns;
  readonly #turns: AnswerTurns;
  readonly #splitter: LineSplitter;
  /** Bytes that came in and are not split into lines yet. */
  #rest: Buffer = NOTHING;
  /**
   * The line that is taken up next. INVARIANT: I9: lines are split off one by one, because empty lines cost more than
   * their length.
   */
  #line: Buffer | null = null;
  #unanswered = 0;
  /** Bytes of the requests that have no answer yet. */
  #underWay = 0;
  #isEnding = false;
  /** Whether this connection has taken up all that it may in this turn of the loop. */
  #hasHadTurn = false;
  /** Whether a whole line of this connection has been taken up. */
  hasAsked = false;

  constructor(socket: Socket, handlers: ConnectionHandlers, { memory, lines }: Shared) {
    this.#socket = socket;
    this.#verbs = handlers.verbs;
    this.#memory = memory;
    this.#lines = lines;
    this.#turns = new AnswerTurns(() => memory.hasRoom(socket));
    this.#splitter = new LineSplitter(LIMITS.socketLineBytes, {
      onLine: (line) => {
        this.#line = line;
      },
      onTooLong: () => {
        const reason = `a line is longer than ${LIMITS.socketLineBytes} bytes`;
        this.#write(failure(null, "FEMTO_SOCKET_REQUEST", reason));
      },
    });
    socket.on("data", (chunk) => {
      this.#rest = this.#rest.length === 0 ? (chunk as Buffer) : Buffer.concat([this.#rest, chunk as Buffer]);
      this.#goOn();
    });
    // INVARIANT: only whole lines count. A line that a client began and did not end was never asked.
    socket.on("end", () => {
      this.#isEnding = true;
      handlers.onLeaving?.();
      this.#goOn();
    });
    socket.on("drain", () => {
      this.#turns.read();
      this.#goOn();
    });
    // A broken connection concerns only its client. What the client proposed continues and is recorded.
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#rest = NOTHING;
      this.#line = null;
      this.#turns.end();
      lines.forget(this.#goOn);
      handlers.onClosed();
    });
  }

  /**
   * Ends the connection if its client is gone. INVARIANT: I9: a client that left while it waited, perhaps for hours, keeps
   * no place. The end of what it sends does not tell, because it may still read; only writing does, also of nothing.
   */
  touch(): void {
    if (this.#unanswered > 0 && this.#socket.writable && this.#socket.writableLength === 0) this.#socket.write("");
  }

  /** Gives the place to somebody else. What this client has proposed continues and is recorded. */
  leave(): void {
    this.#socket.write(full());
    this.#socket.destroySoon();
  }

  /**
   * Takes up lines while there is room. A client that asks faster than it reads its answers has to wait, and nobody
   * else does.
   */
  readonly #goOn = (): void => {
    if (!this.#hasHadTurn) this.#takeUp();
    const isEmpty = this.#line === null && this.#rest.length === 0;
    if (this.#isEnding && this.#unanswered === 0 && isEmpty) this.#socket.end();
    else if (this.#hasRoom() && isEmpty) this.#socket.resume();
    else this.#socket.pause();
  };

  // INVARIANT: I9: nobody waits for everything that one client sent at once. Between two portions of it, the others
  // have their turn.
  #takeUp(): void {
    for (let taken = 0; taken < LINES_PER_TURN; taken += 1) {
      if (!this.#hasRoom()) return;
      const line = this.#nextLine();
      if (line === null || !this.#memory.hasShare(this.#underWay, line.length)) return;
      if (!this.#lines.take(line.length, this.#goOn)) return;
      this.#memory.take(line.length);
      this.#line = null;
      this.hasAsked = true;
      this.#answer(line);
    }
    if (this.#line === null && this.#rest.length === 0) return;
    this.#hasHadTurn = true;
    setImmediate(() => {
      this.#hasHadTurn = false;
      this.#goOn();
    });
  }

  #nextLine(): Buffer | null {
    while (this.#line === null && this.#rest.length > 0) {
      const end = this.#rest.indexOf(NEWLINE) + 1;
      const piece = end === 0 ? this.#rest : this.#rest.subarray(0, end);
      this.#rest = this.#rest.subarray(piece.length);
      this.#splitter.push(piece);
    }
    return this.#line;
  }

  #answer(line: Buffer): void {
    const { length } = line;
    this.#unanswered += 1;
    this.#underWay += length;
    void respond(line, this.#verbs, this.#turns).then((response) => {
      this.#unanswered -= 1;
      this.#underWay -= length;
      this.#memory.giveBack(length);
      this.#write(response);
      this.#goOn();
    });
  }

  #hasRoom(): boolean {
    return this.#unanswered < LIMITS.socketPipeline && this.#memory.hasRoom(this.#socket);
  }

  #write(line: string): void {
    if (this.#socket.writable) writeTogether(this.#socket, line);
  }
}

/**
 * Returns the line that answers the request; never throws. INVARIANT: I9: what waits for the answer does not hold the
 * line, so a request that waits long costs only what its handler keeps of it.
 */
function respond(line: Buffer, verbs: ConnectionHandlers["verbs"], turns: AnswerTurns): Promise<string> {
  const asked = requestIn(line, verbs);
  if (typeof asked === "string") return Promise.resolve(asked);
  const { id, handler, fields } = asked;
  try {
    // Encoding is guarded as well, because an answer can be too large for a string.
    return Promise.resolve(handler(fields, id, turns))
      .then((value) => encoded({ id, ok: true, value: value ?? null }))
      .catch((error: unknown) => failed(id, error));
  } catch (error) {
    return Promise.resolve(failed(id, error));
  }
}

/** The request in a line, or the answer to a line that is no request. */
function requestIn(
  line: Buffer,
  verbs: ConnectionHandlers["verbs"],
): { readonly id: number; readonly handler: Handler; readonly fields: Readonly<Record<string, unknown>> } | string {
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
  return { id, handler, fields };
}

function failed(id: number, error: unknown): string {
  const { code, message, fix } = faultOf(error);
  return failure(id, code, message, fix);
}

function failure(id: number | null, code: ErrorCode, reason: string, fix?: string): string {
  const error: SocketError = { code, reason, fix: fix ?? ERRORS[code].fix };
  return encoded({ id, ok: false, error });
}

function encoded(response: SocketResponse): string {
  return `${JSON.stringify(response)}\n`;
}
