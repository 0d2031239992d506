/**
 * MCP over a pair of streams, one message per line. Unlike other transports it answers lines that it cannot read, skips
 * lines that are too long, and pauses while a client does not read its answers.
 */
import type { Readable, Writable } from "node:stream";
import { LineSplitter } from "@femtoclaw/protocol";
import {
  INVALID_REQUEST,
  isJSONRPCErrorResponse,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type RequestId,
  type Transport,
} from "@modelcontextprotocol/server";
import { MESSAGE_BYTES_MAX, readMessage, refusal } from "./incoming.ts";
import { type Admitted, LISTEN } from "./listens.ts";
import { OVERLOADED, REQUEST_BYTES_MAX, REQUESTS_MAX, UNREAD_BYTES_MAX } from "./overload.ts";

/**
 * LIMIT: lines handled in one turn of the event loop. If this runs in the host to serve an agent, that loop is the
 * host's own.
 */
const LINES_PER_TURN = 8;

/** LIMIT: open requests of one client to listen. */
const LISTENING_MAX = 64;

export class LineTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  readonly #input: Readable;
  readonly #output: Writable;
  readonly #lines: LineSplitter;
  /** Complete lines that are not handled yet; at most as many as a few chunks hold. */
  readonly #waiting: Buffer[] = [];
  #hasHadTurn = false;
  /** Requests without an answer yet, with their bytes. */
  readonly #unanswered = new Map<RequestId, number>();
  #unansweredBytes = 0;
  /** Requests to listen that are open; `admitted` is null while one is still being examined. */
  readonly #listening = new Map<RequestId, { admitted: Admitted | null }>();
  /** Number of requests being examined, including those that were cancelled meanwhile. */
  #admitting = 0;
  /** Examines a request to listen before it is passed on. */
  admit: (message: JSONRPCMessage) => Promise<Admitted> = async (message) => ({ message, release: () => undefined });
  /** Set while the client has too much unread. */
  #unread: PromiseWithResolvers<void> | null = null;
  #isEnding = false;
  #isClosed = false;

  constructor(input: Readable, output: Writable) {
    this.#input = input;
    this.#output = output;
    this.#lines = new LineSplitter(MESSAGE_BYTES_MAX, {
      onLine: (line) => void this.#waiting.push(line),
      onTooLong: () => this.#answer(refusal(null, INVALID_REQUEST, `a line is longer than ${MESSAGE_BYTES_MAX} bytes`)),
    });
  }

  async start(): Promise<void> {
    this.#input.on("data", (chunk: Buffer) => {
      this.#lines.push(chunk);
      this.#goOn();
    });
    this.#output.on("drain", () => {
      this.#goOn();
      this.#wasRead();
    });
    this.#output.on("error", () => void this.close());
    this.#input.on("error", () => this.#end());
    this.#input.once("end", () => this.#end());
    this.#input.once("close", () => this.#end());
  }

  async send(message: JSONRPCMessage): Promise<void> {
    if (this.#isClosed) return;
    const isResponse = isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message);
    if (isResponse && message.id !== undefined) {
      this.#answered(message.id);
      this.#listensNoMore(message.id);
    }
    this.#output.write(`${JSON.stringify(message)}\n`);
    this.#closeWhenDone();
  }

  /** Resolves once the client has read enough of what it was sent, or has gone. */
  async untilRead(): Promise<void> {
    if (this.#isClosed || this.#hasRoom) return;
    this.#unread ??= Promise.withResolvers<void>();
    await this.#unread.promise;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#waiting.length = 0;
    this.#input.destroy();
    this.#wasRead();
    this.onclose?.();
  }

  #wasRead(): void {
    this.#unread?.resolve();
    this.#unread = null;
  }

  get #hasRoom(): boolean {
    return this.#output.writableLength <= UNREAD_BYTES_MAX;
  }

  /** Handles lines while there is room. A client that asks faster than it reads has to wait, and nobody else does. */
  #goOn(): void {
    if (!this.#hasHadTurn) this.#takeUp();
    if (this.#isClosed) return;
    if (this.#hasRoom && this.#waiting.length === 0) this.#input.resume();
    else this.#input.pause();
    this.#closeWhenDone();
  }

  // INVARIANT: I9: nobody waits for everything that one client sent at once: after each portion others have their turn.
  #takeUp(): void {
    for (let taken = 0; taken < LINES_PER_TURN && this.#hasRoom; taken += 1) {
      const line = this.#waiting.shift();
      if (line === undefined) return;
      this.#receive(line);
    }
    if (this.#waiting.length === 0 || !this.#hasRoom) return;
    this.#hasHadTurn = true;
    setImmediate(() => {
      this.#hasHadTurn = false;
      this.#goOn();
    });
  }

  #receive(line: Buffer): void {
    if (this.#isClosed || line.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09)) return;
    const read = readMessage(line);
    if (!read.ok) return this.#answer(read);
    const { message } = read;
    if (isJSONRPCRequest(message) && message.method === LISTEN) return void this.#listen(message.id, message);
    if (isJSONRPCRequest(message)) {
      if (this.#unanswered.has(message.id)) {
        return this.#answer(refusal(null, INVALID_REQUEST, "a request of this id has not been answered yet"));
      }
      // INVARIANT: I9: what a client may have under way is bounded here, below the host's own bound, so that it can
      // still cancel some of it.
      if (this.#unanswered.size >= REQUESTS_MAX) {
        return this.#answer(refusal(message.id, OVERLOADED.code, OVERLOADED.reason, OVERLOADED.data));
      }
      if (this.#unansweredBytes + line.byteLength > REQUEST_BYTES_MAX) {
        const reason = `${this.#unansweredBytes} bytes of requests of this client have no answer yet`;
        return this.#answer(refusal(message.id, OVERLOADED.code, reason, OVERLOADED.data));
      }
      this.#unanswered.set(message.id, line.byteLength);
      this.#unansweredBytes += line.byteLength;
    }
    this.onmessage?.(message);
    if (isJSONRPCNotification(message) && message.method === "notifications/cancelled") this.#forget(message.params);
  }

  async #listen(id: RequestId, message: JSONRPCMessage): Promise<void> {
    // INVARIANT: I9: the limit includes requests that are still being examined.
    const most = Math.max(this.#listening.size, this.#admitting);
    if (this.#listening.has(id) || most >= LISTENING_MAX) {
      return this.#answer(
        refusal(id, OVERLOADED.code, `${LISTENING_MAX} requests to listen, and one of each id, may be open`),
      );
    }
    const listening: { admitted: Admitted | null } = { admitted: null };
    this.#listening.set(id, listening);
    this.#admitting += 1;
    const admitted = await this.admit(message);
    this.#admitting -= 1;
    // The client has left or cancelled the request meanwhile, and may have used its id for another one.
    if (this.#isClosed || this.#listening.get(id) !== listening) return admitted.release();
    listening.admitted = admitted;
    this.onmessage?.(admitted.message);
  }

  #answered(id: RequestId): void {
    this.#unansweredBytes -= this.#unanswered.get(id) ?? 0;
    this.#unanswered.delete(id);
  }

  #listensNoMore(id: RequestId): void {
    this.#listening.get(id)?.admitted?.release();
    this.#listening.delete(id);
  }

  /** A cancelled request gets no answer. */
  #forget(params: Readonly<Record<string, unknown>> | undefined): void {
    const id = params?.["requestId"];
    if (typeof id === "string" || typeof id === "number") {
      this.#answered(id);
      this.#listensNoMore(id);
    }
    this.#closeWhenDone();
  }

  #answer({ response }: ReturnType<typeof refusal>): void {
    void this.send(response);
  }

  /** A client that has closed its input still gets its answers. */
  #end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#lines.end();
    this.#goOn();
  }

  #closeWhenDone(): void {
    if (this.#isEnding && this.#waiting.length === 0 && this.#unanswered.size === 0) void this.close();
  }
}
