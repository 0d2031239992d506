/**
 * Reads the bytes of a client strictly as one JSON-RPC message. The arguments of a tool call are kept as text: the host
 * judges exactly what was sent, not what a parser here made of it.
 */
import { isJsonWithin, LIMITS, parseJson, parseStrictJson, printable } from "@femtoclaw/protocol";
import {
  INVALID_REQUEST,
  isJSONRPCErrorResponse,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  type JSONRPCErrorResponse,
  type JSONRPCMessage,
  PARSE_ERROR,
  type RequestId,
} from "@modelcontextprotocol/server";
import { memberSpan, pastSpace } from "./member-span.ts";

/** LIMIT: bytes of one JSON-RPC message: the largest arguments that the host takes, and what surrounds them. */
export const MESSAGE_BYTES_MAX = LIMITS.messageBytes + 1_048_576;

/** The member that holds the text of the arguments. A client's own member of this name would be inside that text. */
const AS_WRITTEN = "dev.femtoclaw/as-written";

/** Escaping can make a text six times as long. */
const ENVELOPE_LIMITS = { bytes: 6 * MESSAGE_BYTES_MAX, depth: 64, nodes: LIMITS.jsonNodes };

export type Incoming =
  | { readonly ok: true; readonly message: JSONRPCMessage }
  | { readonly ok: false; readonly response: JSONRPCErrorResponse };

/** Never throws: bytes that are no message lead to a response that says why. */
export function readMessage(bytes: Uint8Array): Incoming {
  let text: string;
  let root: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    if (!isJsonWithin(text, { depth: LIMITS.jsonTextDepth }))
      return refusal(null, INVALID_REQUEST, "the message is nested far too deep");
    root = parseJson(text);
  } catch {
    return refusal(null, PARSE_ERROR, "the message is not JSON in UTF-8");
  }
  if (root === null || typeof root !== "object" || Array.isArray(root)) {
    return refusal(null, INVALID_REQUEST, "a message is one JSON object; batches are not taken");
  }
  const id = "id" in root && isId(root.id) ? root.id : null;
  const parsed = parseStrictJson(Buffer.from(setAside(text, root)), ENVELOPE_LIMITS);
  if (!parsed.ok) return refusal(id, INVALID_REQUEST, parsed.fault.reason);
  const message: unknown = parsed.value;
  if (isMessage(message)) return { ok: true, message };
  return refusal(id, INVALID_REQUEST, "it is no request, notification or response of JSON-RPC 2.0");
}

/** The text of a call's arguments as the client wrote it. */
export function argumentsText(args: Readonly<Record<string, unknown>> | undefined): string {
  const text = args?.[AS_WRITTEN];
  return typeof text === "string" ? text : "{}";
}

export function refusal(
  id: RequestId | null,
  code: number,
  reason: string,
  data?: Readonly<Record<string, unknown>>,
): Incoming & { readonly ok: false } {
  const error = { code, message: printable(reason, LIMITS.reasonChars), ...(data === undefined ? {} : { data }) };
  // JSON-RPC requires null if the identifier could not be read, although the type of the MCP library does not allow it.
  return { ok: false, response: { jsonrpc: "2.0", id, error } as unknown as JSONRPCErrorResponse };
}

function setAside(text: string, root: object): string {
  if (!("method" in root) || root.method !== "tools/call") return text;
  const params = memberSpan(text, pastSpace(text, 0), "params");
  const args = params === null || text[params.start] !== "{" ? null : memberSpan(text, params.start, "arguments");
  if (args === null) return text;
  const written = JSON.stringify({ [AS_WRITTEN]: text.slice(args.start, args.end) });
  return `${text.slice(0, args.start)}${written}${text.slice(args.end)}`;
}

function isId(value: unknown): value is RequestId {
  return typeof value === "string" || (typeof value === "number" && Number.isSafeInteger(value));
}

function isMessage(value: unknown): value is JSONRPCMessage {
  return (
    isJSONRPCRequest(value) ||
    isJSONRPCNotification(value) ||
    isJSONRPCResultResponse(value) ||
    isJSONRPCErrorResponse(value)
  );
}
