/**
 * The W3C trace context of a proposal: its place in somebody else's trace. It is a name and proves nothing. Malformed
 * parts are left out, and the record says so.
 */
import type { TraceContext } from "../generated/types.ts";

/** As a client wrote it, of any type and size. */
export interface TraceFields {
  readonly traceparent?: unknown;
  readonly tracestate?: unknown;
}

const PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
/** Flags that have a meaning: sampled, and that the trace's identifier is random. */
const KNOWN_FLAGS = 0b11;
/** LIMIT: characters of a trace state, and members of it, by the specification. */
const STATE_CHARS_MAX = 512;
const STATE_MEMBERS_MAX = 32;
const STATE_KEY = /^(?:[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})$/;
/** Printable ASCII except comma and equals sign, not ending in a space. */
const STATE_VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
/** LIMIT: characters that are sent to the host; of a longer text, it only matters that it is too long. */
const WIRE_CHARS_MAX = 600;

/** Null if neither field is present. */
export function traceContext({ traceparent, tracestate }: TraceFields): TraceContext | null {
  if (traceparent === undefined && tracestate === undefined) return null;
  const parent = parentOf(traceparent);
  // A state belongs to its parent; without one it means nothing.
  if (parent === null) return { ignored: ["traceparent"] };
  if (tracestate === undefined || tracestate === "") return { traceparent: parent };
  const state = stateOf(tracestate);
  return state === null
    ? { traceparent: parent, ignored: ["tracestate"] }
    : { traceparent: parent, ...(state === "" ? {} : { tracestate: state }) };
}

/** The part of a client's fields that is sent on: texts of a harmless size, which stay as malformed as they were. */
export function wireTrace({ traceparent, tracestate }: TraceFields): { traceparent?: string; tracestate?: string } {
  return {
    ...(traceparent === undefined ? {} : { traceparent: wireText(traceparent) }),
    ...(tracestate === undefined ? {} : { tracestate: wireText(tracestate) }),
  };
}

const wireText = (value: unknown): string => (typeof value === "string" ? value.slice(0, WIRE_CHARS_MAX) : "?");

/** Of a later version only the known part is kept, in the form of the first version. */
function parentOf(value: unknown): string | null {
  if (typeof value !== "string" || value.length > WIRE_CHARS_MAX) return null;
  const [, version, trace, span, flags, rest] = PARENT.exec(value) ?? [];
  if (version === undefined || version === "ff" || (version === "00" && rest !== undefined)) return null;
  if (/^0+$/.test(trace ?? "") || /^0+$/.test(span ?? "")) return null;
  const known = Number.parseInt(flags ?? "", 16) & KNOWN_FLAGS;
  return `00-${trace}-${span}-0${known}`;
}

/** Null if any part of it is wrong: half of a state would be a different state. */
function stateOf(value: unknown): string | null {
  if (typeof value !== "string" || value.length > STATE_CHARS_MAX) return null;
  const members = value
    .split(",")
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ""))
    .filter((member) => member !== "");
  const keys = new Set<string>();
  for (const member of members) {
    const equals = member.indexOf("=");
    const key = member.slice(0, equals);
    if (equals === -1 || !STATE_KEY.test(key) || !STATE_VALUE.test(member.slice(equals + 1)) || keys.has(key))
      return null;
    keys.add(key);
  }
  return members.length > STATE_MEMBERS_MAX ? null : members.join(",");
}
