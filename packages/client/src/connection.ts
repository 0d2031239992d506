/** One connection to a socket of the host: requests go out as lines, and responses come back in any order. */
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import {
  type AgentVerb,
  ERRORS,
  type ErrorCode,
  errorText,
  FemtoError,
  LIMITS,
  LineSplitter,
  type OperatorVerb,
  parseJson,
  type SocketResponse,
  systemErrorCode,
  writeTogether,
} from "@femtoclaw/protocol";

/** LIMIT: bytes of one response; a reply carries a result of at most the output limit, escaped. */
const RESPONSE_BYTES_MAX = 128 * 1024 * 1024;

/** LIMIT: milliseconds for the last requests to go out to a host that does not read. */
const CLOSE_MS = 1_000;
/** LIMIT: milliseconds for an answer that a host gives at once; systemd ends a host that hangs after a minute. */
const SILENT_MS = 30_000;

/** INVARIANT: I2: a caller that lost its answer does not know what was done, and must not be led to do it again. */
const LOST =
  "A call that was under way may have been executed. Check with `femtoclaw executions list` before you send it again. If the host has ended, start it with `femtoclaw up --detach`.";

/** A request that was sent. */
export interface Asked {
  readonly id: number;
  readonly answer: Promise<unknown>;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** A connection to either socket of a host, for verbs that the typed clients do not have. */
export class HostConnection implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;
  #ended: FemtoError | null = null;
  /** The host's fault about the connection itself, sent before it closed it. */
  #refused: FemtoError | null = null;
  readonly #closed = Promise.withResolvers<void>();

  private constructor(socket: Socket) {
    this.#socket = socket;
    const lines = new LineSplitter(RESPONSE_BYTES_MAX, {
      onLine: (line) => this.#receive(line),
      onTooLong: () => this.#end(new FemtoError("FEMTO_INTERNAL", "the host sent an over-long line")),
    });
    socket.on("data", (chunk) => lines.push(chunk as Buffer));
    socket.on("error", (error) => this.#end(this.#refused ?? lost(error.message)));
    socket.on("close", () => {
      this.#end(this.#refused ?? lost("the host closed the connection"));
      this.#closed.resolve();
    });
  }

  /** Throws FEMTO_HOST_NOT_RUNNING if nobody listens there. The caller checks that nobody else could listen there. */
  static async open(path: string): Promise<HostConnection> {
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", (error) => reject(notRunning(path, error)));
    });
    return new HostConnection(socket);
  }

  /** Resolves when either side has ended the connection. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Throws the host's own error, or FEMTO_HOST_NOT_RUNNING if the connection ends before the answer. */
  request(verb: AgentVerb | OperatorVerb, fields: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    return this.ask(verb, fields).answer;
  }

  /**
   * Like `request`, for a verb whose answer needs no more than a record. The kernel accepts connections for a process that
   * is stopped or hangs; if no answer comes in time, this rejects with FEMTO_HOST_SILENT and ends the connection.
   */
  async requestSoon(
    verb: AgentVerb | OperatorVerb,
    fields: Readonly<Record<string, unknown>> = {},
    silentMs = SILENT_MS,
  ): Promise<unknown> {
    const waitMs = Math.min(silentMs, SILENT_MS);
    const timer = setTimeout(() => this.#end(silent(waitMs)), waitMs);
    try {
      return await this.request(verb, fields);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Like `request`, and also returns the number by which the host knows the request. */
  ask(verb: AgentVerb | OperatorVerb, fields: Readonly<Record<string, unknown>>): Asked {
    const id = this.#next;
    if (this.#ended !== null) return { id, answer: Promise.reject(this.#ended) };
    const line = lineOf({ ...fields, id, verb });
    if (typeof line !== "string") return { id, answer: Promise.reject(line) };
    this.#next += 1;
    const answer = new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      writeTogether(this.#socket, line);
    });
    return { id, answer };
  }

  /** Ends the connection after pending requests have gone out; answers still awaited are given up. */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.#socket.destroy(), CLOSE_MS);
    this.#socket.destroySoon();
    await this.closed;
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #receive(line: Buffer): void {
    try {
      this.#answer(parseJson(line.toString("utf8")) as SocketResponse);
    } catch (error) {
      this.#end(new FemtoError("FEMTO_INTERNAL", `the host sent what is no response: ${errorText(error)}`));
    }
  }

  #answer(response: SocketResponse): void {
    // A response without an id is about the connection itself: the host finds the id of each line that we send.
    if (response.id === null) {
      if (!response.ok) this.#refused = remoteError(response.error);
      return;
    }
    const waiting = this.#waiting.get(response.id);
    if (waiting === undefined) return;
    if (response.ok) waiting.resolve(response.value);
    else waiting.reject(remoteError(response.error));
    this.#waiting.delete(response.id);
  }

  #end(error: FemtoError): void {
    this.#ended ??= error;
    for (const waiting of this.#waiting.values()) waiting.reject(this.#ended);
    this.#waiting.clear();
    this.#socket.destroy();
  }
}

/**
 * The request as it is sent, or why it cannot be: nothing may wait for the answer to what was never asked. A host that
 * skips a longer line cannot say which request it skipped.
 */
function lineOf(request: Readonly<Record<string, unknown>>): string | FemtoError {
  let text: string;
  try {
    text = JSON.stringify(request);
  } catch (cause) {
    return new FemtoError("FEMTO_SOCKET_REQUEST", `JSON cannot express the request: ${errorText(cause)}`, { cause });
  }
  const bytes = Buffer.byteLength(text);
  if (bytes <= LIMITS.socketLineBytes) return `${text}\n`;
  const reason = `the request has ${bytes} bytes, and a host takes at most ${LIMITS.socketLineBytes}`;
  return new FemtoError("FEMTO_SOCKET_REQUEST", reason, { fix: "Send less in one request." });
}

function remoteError({ code, reason, fix }: { code: string; reason: string; fix: string }): FemtoError {
  const known = Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : "FEMTO_INTERNAL";
  return new FemtoError(known, reason, { fix });
}

function lost(reason: string): FemtoError {
  return new FemtoError("FEMTO_HOST_NOT_RUNNING", `the connection to the host was lost: ${reason}`, { fix: LOST });
}

function silent(waitedMs: number): FemtoError {
  return new FemtoError("FEMTO_HOST_SILENT", `the host takes connections and has answered nothing for ${waitedMs} ms`);
}

function notRunning(path: string, error: Error): FemtoError {
  const code = systemErrorCode(error);
  const reason = code === "ENOENT" || code === "ECONNREFUSED" ? `no host listens on ${path}` : error.message;
  return new FemtoError("FEMTO_HOST_NOT_RUNNING", reason, { cause: error });
}
