/** How messages get to an MCP server and back. */
import { FemtoError, printable } from "@femtoclaw/protocol";
import type { JsonObject } from "../capability.ts";

export interface UpstreamRequest {
  readonly method: string;
  readonly params: JsonObject;
  readonly signal: AbortSignal;
  /** Bytes of the message that answers it; a longer one is a fault. */
  readonly bytesMax: number;
}

export interface UpstreamTransport {
  /** The result, or the fault that the server answered with. Cancels the request at the server when the signal aborts. */
  request(request: UpstreamRequest): Promise<JsonObject>;
  notify(method: string, params: JsonObject): Promise<void>;
  /** From now on each request names this revision of the protocol, or says all that an answer depends on. */
  agree(version: string): void;
  /** Resolves, with why, when the server is not there any more. */
  readonly ended: Promise<string>;
  /** Ends it. */
  end(reason: string): void;
}

/** What the server answered with instead of a result. */
export class UpstreamRefusal extends FemtoError {
  constructor(error: unknown) {
    const { code, message } = Object(error) as Readonly<Record<string, unknown>>;
    const number = Number.isSafeInteger(code) ? ` (${String(code)})` : "";
    super("FEMTO_UPSTREAM_FAILED", `the server answered with an error${number}: ${printable(String(message), 300)}`);
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
