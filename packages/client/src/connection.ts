/** One connection to a socket of the host: requests go out as lines, responses come back in any order. */
import { connect, type Socket } from "node:net";
import {
  type AgentVerb,
  ERRORS,
  type ErrorCode,
  errorText,
  FemtoError,
  LineSplitter,
  type OperatorVerb,
  type SocketResponse,
  systemErrorCode,
  writeTogether,
} from "@femtoclaw/protocol";

/** LIMIT: one response; a reply carries a result of at most the output limit, escaped. */
const RESPONSE_BYTES_MAX = 128 * 1024 * 1024;

/** LIMIT: time for what was asked last to go out to a host that does not read. */
const CLOSE_MS = 1_000;
/** LIMIT: time for what a host answers at once; systemd ends one that hangs after a minute. */
const SILENT_MS = 30_000;

/** INVARIANT: I2: who asked does not know what was done, and is not led to do it again. */
const LOST =
  "A call that was under way may have been executed: before it is sent again, look with `femtoclaw executions list`. Where the host has ended, start it with `femtoclaw up --detach`.";

/** A request on its way. */
export interface Asked {
  readonly id: number;
  readonly answer: Promise<unknown>;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** A connection to either socket of a host, for whoever needs a verb that the typed clients do not have. */
export class HostConnection implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;
  #ended: FemtoError | null = null;
  /** What the host said of the connection itself before it ended it. */
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

  /** Throws FEMTO_HOST_NOT_RUNNING when nobody listens there. That nobody else can is for the caller to check. */
  static async open(path: string): Promise<HostConnection> {
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", (error) => reject(notRunning(path, error)));
    });
    return new HostConnection(socket);
  }

  /** Resolves when the connection has ended, from whichever side. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Throws the host's own error, or FEMTO_HOST_NOT_RUNNING when the connection ends before the answer. */
  request(verb: AgentVerb | OperatorVerb, fields: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    return this.ask(verb, fields).answer;
  }

  /**
   * As `request`, for what needs no more than a record. The kernel takes connections for a process that is stopped or
   * hangs, so whoever hears nothing in time is told with FEMTO_HOST_SILENT, and the connection ends.
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

  /** As `request`, with the number under which the host knows it. */
  ask(verb: AgentVerb | OperatorVerb, fields: Readonly<Record<string, unknown>>): Asked {
    const id = this.#next;
    if (this.#ended !== null) return { id, answer: Promise.reject(this.#ended) };
    this.#next += 1;
    const answer = new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      writeTogether(this.#socket, `${JSON.stringify({ ...fields, id, verb })}\n`);
    });
    return { id, answer };
  }

  /** Ends the connection after what was asked has gone out; answers that are still awaited are given up. */
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
      this.#answer(JSON.parse(line.toString("utf8")) as SocketResponse);
    } catch (error) {
      this.#end(new FemtoError("FEMTO_INTERNAL", `the host sent what is no response: ${errorText(error)}`));
    }
  }

  #answer(response: SocketResponse): void {
    // A response without an id answers no request of ours, each of which can be read: it is about the connection.
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
