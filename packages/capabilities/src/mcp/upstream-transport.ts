/** How messages reach an MCP server, and how its messages come back. */
import { FemtoError, isJsonWithin, LIMITS, parseMarkedJson, printable } from "@femtoclaw/protocol";
import type { JsonObject } from "../capability.ts";

export interface UpstreamRequest {
  readonly method: string;
  readonly params: JsonObject;
  readonly signal: AbortSignal;
  /** LIMIT: bytes of the message that answers the request; a longer one is a fault. */
  readonly bytesMax: number;
  /**
   * Receives what the server says about this request before it answers. If given, the server is asked to report
   * progress.
   */
  readonly onNotice?: (method: string, params: unknown) => void;
  /** Answers what the server asks because of this request; throws if it gets no answer. */
  readonly onAsked?: (method: string, params: unknown) => Promise<JsonObject>;
}

/** Receives notifications that belong to no request. */
export type OnNotification = (method: string, params: unknown) => void;

/** A request that stays open as long as somebody listens. */
export interface Listening {
  readonly method: string;
  readonly params: JsonObject;
}

/** Carries messages to a server and back. */
export interface UpstreamTransport {
  /**
   * Returns the result, or throws the error that the server answered with. Cancels the request there if the signal
   * aborts.
   */
  request(request: UpstreamRequest): Promise<JsonObject>;
  notify(method: string, params: JsonObject): Promise<void>;
  /**
   * Listens to the server until the signal aborts: in answer to a request that stays open, or, with null, beside all
   * requests. Resolves if there is nothing to hear in this way, or nothing more.
   */
  listen(asked: Listening | null, signal: AbortSignal, onNotification: OnNotification): Promise<void>;
  /** From now on each request names this revision of the protocol. */
  agree(version: string): void;
  /** Whether everything that the server says comes on one stream, no matter who listens. */
  readonly isStream: boolean;
  /** Resolves with the reason once the server is gone. */
  readonly ended: Promise<string>;
  /** Ends the conversation, and the server if it is ours. */
  end(reason: string): void;
}

/** The error that the server answered with. */
export class UpstreamRefusal extends FemtoError {
  /** The error code of JSON-RPC; null if the server gave none. */
  readonly number: number | null;

  constructor(error: unknown) {
    const { code, message } = Object(error) as Readonly<Record<string, unknown>>;
    const named = Number.isSafeInteger(code) ? ` (${String(code)})` : "";
    super("FEMTO_UPSTREAM_FAILED", `the server answered with an error${named}: ${valueText(message, 300)}`);
    this.number = Number.isSafeInteger(code) ? Number(code) : null;
  }
}

/** A value that a server gives in the place of a text, for a person: as JSON where it is none. */
export function valueText(value: unknown, charsMax: number): string {
  return printable(typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing"), charsMax);
}

export function tooLarge(bytesMax: number): FemtoError {
  return new FemtoError("FEMTO_UPSTREAM_TOO_LARGE", `the server answered with more than ${bytesMax} bytes`);
}

/** The result in a message that answers a request; throws if it is an error instead. */
export function resultIn(message: Readonly<Record<string, unknown>>): JsonObject {
  const { result, error } = message;
  if (error !== undefined) throw new UpstreamRefusal(error);
  if (typeof result !== "object" || result === null || Array.isArray(result)) {
    throw new FemtoError("FEMTO_UPSTREAM_FAILED", "the server answered with what is no result");
  }
  return result as JsonObject;
}

/** Whether an answer can name this request: its id is a text, or a number that can be written as it was. */
export function isRequestId(id: unknown): id is number | string {
  return typeof id === "string" || Number.isFinite(id);
}

/** The parameters, with the token by which the server refers to the request when it reports progress. */
export function paramsOf({ params, onNotice }: UpstreamRequest, id: number): JsonObject {
  if (onNotice === undefined) return params;
  return { ...params, _meta: { ...(Object(params["_meta"]) as JsonObject), progressToken: id } };
}

/**
 * Parses one message of JSON-RPC; null if it is none. Throws if it is nested too deep to be parsed. INVARIANT: no number
 * changes on the way: Infinity marks each one that cannot be held, and whatever holds the mark is not passed on.
 */
export function messageIn(text: string): Readonly<Record<string, unknown>> | null {
  if (!isJsonWithin(text, { depth: LIMITS.jsonTextDepth })) {
    throw new FemtoError("FEMTO_UPSTREAM_FAILED", "the server sent a message that is nested too deep to be read");
  }
  try {
    const message: unknown = parseMarkedJson(text);
    if (typeof message !== "object" || message === null || Array.isArray(message)) return null;
    return (message as { readonly jsonrpc?: unknown }).jsonrpc === "2.0" ? (message as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
