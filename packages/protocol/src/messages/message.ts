/** Turns bytes into a protocol message, or into the place and reason why they are none. Never throws. */

import type { ErrorCode } from "../faults/errors.ts";
import type { ProtocolMessage } from "../generated/types.ts";
import { validateMessage } from "../generated/validators.js";
import { type JsonValue, parseStrictJson } from "../json/strict-json.ts";
import { printable } from "../text/display.ts";
import { describeViolations } from "./violations.ts";

export interface MessageFault {
  readonly code: ErrorCode;
  /** What is wrong and where: a JSON Pointer or a character offset. */
  readonly reason: string;
}

export type MessageResult =
  | { readonly ok: true; readonly message: ProtocolMessage }
  | { readonly ok: false; readonly fault: MessageFault };

/** PROTOCOL: exactly one of `message` and `tool_call`, strict JSON, closed objects. */
export function parseMessage(bytes: Uint8Array): MessageResult {
  const parsed = parseStrictJson(bytes);
  if (!parsed.ok) {
    const { code, reason, pointer, offset } = parsed.fault;
    const place = pointer === "" ? `character ${offset}` : `character ${offset}, in \`${printable(pointer)}\``;
    return { ok: false, fault: { code, reason: `${reason} (${place})` } };
  }
  if (validateMessage(parsed.value)) {
    return { ok: true, message: parsed.value as unknown as ProtocolMessage };
  }
  return { ok: false, fault: { code: "FEMTO_PROTOCOL_SHAPE", reason: shapeFault(parsed.value) } };
}

/** A schema with alternatives explains a mismatch poorly, so the two common mistakes are reported first. */
function shapeFault(value: JsonValue): string {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return "the message is not an object";
  const hasMessage = Object.hasOwn(value, "message");
  const hasCall = Object.hasOwn(value, "tool_call");
  if (hasMessage && hasCall) return "ambiguous: `message` and `tool_call` stand together";
  if (!hasMessage && !hasCall) return "neither `message` nor `tool_call` is present";
  const form = hasMessage ? "/message" : "/tool_call";
  const unknown = Object.keys(value).find((key) => key !== form.slice(1));
  if (unknown !== undefined) return `unknown field \`/${printable(unknown)}\``;
  validateMessage(value);
  const within = (validateMessage.errors ?? []).filter((error) => error.instancePath.startsWith(form));
  return describeViolations(within);
}
