/** An MCP server as a program in the sandbox: one JSON-RPC message per line in each direction. */
import { askKindOf, errorText, FemtoError, LIMITS, LineSplitter, printable } from "@femtoclaw/protocol";
import { type ChildLimits, type SandboxCommand, type SandboxView, ServiceChild } from "@femtoclaw/sandbox";
import type { JsonObject } from "../capability.ts";
import { messagesIn, UnaskedWindow } from "./unasked-window.ts";
import { PROGRESS, SUBSCRIPTION } from "./upstream-notice.ts";
import {
  isRequestId,
  type Listening,
  messageIn,
  type OnNotification,
  paramsOf,
  resultIn,
  tooLarge,
  type UpstreamRequest,
  type UpstreamTransport,
} from "./upstream-transport.ts";

/** LIMIT: bytes of a message while no request is pending; a longer one is not even read. */
const UNASKED_BYTES = 65_536;
/** Bytes of a message beside its result. */
const ENVELOPE_BYTES = 4_096;

interface Pending {
  readonly request: UpstreamRequest;
  resolve(result: JsonObject): void;
  reject(error: unknown): void;
}

export interface StdioStart {
  readonly view: SandboxView;
  readonly command: SandboxCommand;
  readonly limits: ChildLimits;
  readonly onNotification: OnNotification;
}

/** Speaks to an MCP server that is a program in the sandbox. */
export class StdioTransport implements UpstreamTransport {
  readonly isStream = true;
  readonly ended: Promise<string>;
  readonly #child: ServiceChild;
  readonly #onNotification: OnNotification;
  readonly #pending = new Map<number, Pending>();
  readonly #unasked = new UnaskedWindow();
  #lastId = 0;
  #fault: string | null = null;

  constructor({ view, command, limits, onNotification }: StdioStart) {
    this.#onNotification = onNotification;
    const lines = new LineSplitter(LIMITS.upstreamMessageBytes, {
      onLine: (line) => this.#take(line),
      onTooLong: () => this.#failAll(tooLarge(LIMITS.upstreamMessageBytes)),
    });
    const onOutput = (piece: Buffer): void => {
      if (this.#bears({ bytes: piece.byteLength })) lines.push(piece);
    };
    this.#child = new ServiceChild({ view, command, limits, onOutput });
    this.ended = this.#child.ended.then((how) => {
      const reason = this.#fault ?? how;
      this.#failAll(new FemtoError("FEMTO_UPSTREAM_FAILED", `the server is gone: ${reason}`));
      return reason;
    });
  }

  async request(request: UpstreamRequest): Promise<JsonObject> {
    const { method, signal } = request;
    signal.throwIfAborted();
    this.#lastId += 1;
    const id = this.#lastId;
    const answer = Promise.withResolvers<JsonObject>();
    this.#pending.set(id, { request, ...answer });
    const cancel = (): void => {
      answer.reject(signal.reason);
      this.#send({ method: "notifications/cancelled", params: { requestId: id, reason: "not wanted any more" } });
    };
    try {
      if (!this.#send({ id, method, params: paramsOf(request, id) })) {
        throw new FemtoError("FEMTO_UPSTREAM_BUSY", "the server does not read what it is sent");
      }
      signal.addEventListener("abort", cancel, { once: true });
      return await answer.promise;
    } finally {
      this.#pending.delete(id);
      signal.removeEventListener("abort", cancel);
    }
  }

  /** Without `asked` there is nothing to do: a server's stdout is read in any case. */
  async listen(asked: Listening | null, signal: AbortSignal, onNotification: OnNotification): Promise<void> {
    if (asked === null) return;
    await this.request({ ...asked, signal, bytesMax: UNASKED_BYTES, onNotice: onNotification });
  }

  async notify(method: string, params: JsonObject): Promise<void> {
    this.#send({ method, params });
  }

  agree(): void {
    // Each line names the revision itself, so nothing has to be remembered here.
  }

  end(reason: string): void {
    this.#fault ??= reason;
    this.#child.end();
  }

  #send(message: JsonObject): boolean {
    return this.#child.write(Buffer.from(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`));
  }

  #take(line: Buffer): void {
    const allowed = Math.max(UNASKED_BYTES, ...[...this.#pending.values()].map(({ request }) => request.bytesMax));
    // INVARIANT: I9: a line too long for any pending request is not even parsed.
    if (line.byteLength > allowed + ENVELOPE_BYTES) return this.#failAll(tooLarge(allowed));
    let message: Readonly<Record<string, unknown>> | null;
    try {
      message = messageIn(line.toString("utf8"));
    } catch (error) {
      return this.#failAll(error);
    }
    const id = message?.["id"];
    const pending = typeof id === "number" && message?.["method"] === undefined ? this.#pending.get(id) : undefined;
    if (message === null || pending === undefined) return this.#unaskedFor(message, line.byteLength);
    const { request } = pending;
    // Anything that the server says about a request after its answer is ignored.
    this.#pending.delete(Number(id));
    if (line.byteLength > request.bytesMax + ENVELOPE_BYTES) return pending.reject(tooLarge(request.bytesMax));
    try {
      pending.resolve(resultIn(message));
    } catch (error) {
      pending.reject(error);
    }
  }

  /**
   * Takes notifications, requests of the server, and invalid lines. INVARIANT: I8: progress of a request is reported
   * with that request, and dropped if the request is over or never was.
   */
  #unaskedFor(message: Readonly<Record<string, unknown>> | null, bytes: number): void {
    if (!this.#bears({ messages: messagesIn(bytes) })) return;
    const { id, method, params } = message ?? {};
    if (typeof method !== "string") return;
    if (id === undefined) return this.#notified(printable(method, 64), params);
    if (!isRequestId(id)) return;
    if (method === "ping") this.#send({ id, result: {} });
    else void this.#asked(id, printable(method, 64), params);
  }

  /** INVARIANT: I8: a server's question names no request, so it is passed to a caller only if there is exactly one. */
  async #asked(id: number | string, method: string, params: unknown): Promise<void> {
    const [only, another] = this.#pending.values();
    const ask = another === undefined ? only?.request.onAsked : undefined;
    try {
      if (ask === undefined || askKindOf(method) === null) throw new FemtoError("FEMTO_UPSTREAM_ASKS", "not supported");
      this.#send({ id, result: await ask(method, params) });
    } catch (error) {
      this.#send({ id, error: { code: -32601, message: printable(errorText(error), 200) } });
    }
  }

  /** A notification that names a request is reported with that request, and with no other. */
  #notified(method: string, params: unknown): void {
    const { progressToken, _meta: meta } = Object(params) as Readonly<Record<string, unknown>>;
    const named = method === PROGRESS ? progressToken : Object(meta)[SUBSCRIPTION];
    if (method !== PROGRESS && named === undefined) return this.#onNotification(method, params);
    if (typeof named === "number") this.#pending.get(named)?.request.onNotice?.(method, params);
  }

  #bears(came: { readonly messages?: number; readonly bytes?: number }): boolean {
    const reason = this.#unasked.count(came);
    if (reason === null) return true;
    this.#fault ??= reason;
    this.#child.kill();
    return false;
  }

  /** Nobody knows to which request an unread answer belongs, so all of them fail. */
  #failAll(error: unknown): void {
    for (const { reject } of this.#pending.values()) reject(error);
  }
}
