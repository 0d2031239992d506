/** How messages get to an MCP server and back. */
import { FemtoError, printable } from "@femtoclaw/protocol";
import type { JsonObject } from "../capability.ts";

export interface UpstreamRequest {
  readonly method: string;
  readonly params: JsonObject;
  readonly signal: AbortSignal;
  /** Bytes of the message that answers it; a longer one is a fault. */
  readonly bytesMax: number;
  /** Hears what the server says of this very request before it answers; the server is asked to tell its progress then. */
  readonly onNotice?: (method: string, params: unknown) => void;
  /** Answers what the server asks because of this very request; throws where it gets nothing. */
  readonly onAsked?: (method: string, params: unknown) => Promise<JsonObject>;
}

/** Hears of what belongs to no request. */
export type OnNotification = (method: string, params: unknown) => void;

/** A request that stays open as long as somebody listens. */
export interface Listening {
  readonly method: string;
  readonly params: JsonObject;
}

/** How messages reach a server and come back. */
export interface UpstreamTransport {
  /** The result, or the fault that the server answered with. Cancels the request at the server when the signal aborts. */
  request(request: UpstreamRequest): Promise<JsonObject>;
  notify(method: string, params: JsonObject): Promise<void>;
  /**
   * Hears what the server says until the signal aborts: in answer to a request that stays open, or with null beside all
   * requests. Resolves where there is nothing to hear in this way, or no more.
   */
  listen(asked: Listening | null, signal: AbortSignal, onNotification: OnNotification): Promise<void>;
  /** From now on each request names this revision of the protocol, or says all that an answer depends on. */
  agree(version: string): void;
  /** Whether all that the server says comes on one stream, whoever listens. */
  readonly isStream: boolean;
  /** Resolves, with why, when the server is not there any more. */
  readonly ended: Promise<string>;
  /** Ends it. */
  end(reason: string): void;
}

/** What the server answered with instead of a result. */
export class UpstreamRefusal extends FemtoError {
  /** As JSON-RPC has it; null where it names none. */
  readonly number: number | null;

  constructor(error: unknown) {
    const { code, message } = Object(error) as Readonly<Record<string, unknown>>;
    const named = Number.isSafeInteger(code) ? ` (${String(code)})` : "";
    super("FEMTO_UPSTREAM_FAILED", `the server answered with an error${named}: ${printable(String(message), 300)}`);
    this.number = Number.isSafeInteger(code) ? Number(code) : null;
  }
}

export function tooLarge(bytesMax: number): FemtoError {
  return new FemtoError("FEMTO_UPSTREAM_TOO_LARGE", `the server answered with more than ${bytesMax} bytes`);
}

/** The result of a message that answers a request; throws the fault that it is instead. */
export function resultIn(message: Readonly<Record<string, unknown>>): JsonObject {
  const { result, error } = message;
  if (error !== undefined) throw new UpstreamRefusal(error);
  if (typeof result !== "object" || result === null || Array.isArray(result)) {
    throw new FemtoError("FEMTO_UPSTREAM_FAILED", "the server answered with what is no result");
  }
  return result as JsonObject;
}

/** Its parameters, with the token by which the server names it when it tells its progress. */
export function paramsOf({ params, onNotice }: UpstreamRequest, id: number): JsonObject {
  if (onNotice === undefined) return params;
  return { ...params, _meta: { ...(Object(params["_meta"]) as JsonObject), progressToken: id } };
}

/** One message of JSON-RPC; null for what is none. */
export function messageIn(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const message: unknown = JSON.parse(text);
    if (typeof message !== "object" || message === null || Array.isArray(message)) return null;
    return (message as { readonly jsonrpc?: unknown }).jsonrpc === "2.0" ? (message as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
