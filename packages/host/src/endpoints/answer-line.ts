/** Answers one line of a socket: finds the handler of its verb, and encodes what the handler returns. */
import {
  ERRORS,
  type ErrorCode,
  faultOf,
  isJsonWithin,
  type JsonFault,
  LIMITS,
  parseJson,
  parseStrictJson,
  printable,
  type SocketError,
  type SocketResponse,
} from "@femtoclaw/protocol";
import type { AnswerTurns } from "./answer-turns.ts";
import type { ConnectionHandlers, Handler } from "./verb-handlers.ts";

/**
 * LIMIT: a request is one flat object; its largest field is a message in base64. Its longest field is a list of pins,
 * each an object with two members.
 */
const REQUEST_LIMITS = { bytes: LIMITS.socketLineBytes, depth: 8, nodes: 64 + 3 * LIMITS.upstreamPins };

/** LIMIT: a refused line in which the id is looked for; one that holds more is not worth its parsing. */
const ID_EXTENT = { depth: 64, values: 8_192 };

/** A request that is being answered. */
export interface Answering {
  /** What a host that stops says instead; null if only the answer itself may be said. */
  readonly ifStopped: string | null;
  /** The line that answers it. */
  readonly line: Promise<string>;
}

/**
 * Takes a request up; never throws. INVARIANT: I9: what waits for the answer does not hold the line, so a request that
 * waits long costs only what its handler keeps of it.
 */
export function answerLine(line: Buffer, verbs: ConnectionHandlers["verbs"], turns: AnswerTurns): Answering {
  const asked = requestIn(line, verbs);
  if (typeof asked === "string") return { ifStopped: null, line: Promise.resolve(asked) };
  return { ifStopped: stopping(asked), line: answerTo(asked, turns) };
}

function answerTo({ id, handler, fields }: Request, turns: AnswerTurns): Promise<string> {
  try {
    // Encoding is guarded as well, because an answer can be too large for a string.
    return Promise.resolve(handler(fields, id, turns))
      .then((value) => encoded({ id, ok: true, value: value ?? null }))
      .catch((error: unknown) => failed(id, error));
  } catch (error) {
    return Promise.resolve(failed(id, error));
  }
}

/**
 * INVARIANT: I2: a proposal without an answer may have been executed, so its client loses the connection and is told to
 * look, but is never told that the host only stops.
 */
function stopping({ id, verb }: Request): string | null {
  if (verb === "propose") return null;
  const fix =
    "Ask again after the next start. If the request was to change something, see first whether that was done.";
  return failure(id, "FEMTO_DRAINING", "the host stops, and gives no answer to this request any more", fix);
}

interface Request {
  readonly id: number;
  readonly verb: string;
  readonly handler: Handler;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The request in a line, or the answer to a line that is no request. */
function requestIn(line: Buffer, verbs: ConnectionHandlers["verbs"]): Request | string {
  const parsed = parseStrictJson(line, REQUEST_LIMITS);
  if (!parsed.ok) return failure(idIn(line, parsed.fault), "FEMTO_SOCKET_REQUEST", parsed.fault.reason);
  const request = parsed.value;
  if (request === null || typeof request !== "object" || Array.isArray(request)) {
    return failure(null, "FEMTO_SOCKET_REQUEST", "the line is not an object");
  }
  const { id, verb, ...fields } = request;
  if (typeof id !== "number" || !Number.isSafeInteger(id)) {
    return failure(null, "FEMTO_SOCKET_REQUEST", "`id` must be an integer");
  }
  if (typeof verb !== "string") return failure(id, "FEMTO_SOCKET_REQUEST", "`verb` must be a string");
  const handler = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  if (handler === undefined) return failure(id, "FEMTO_VERB_UNKNOWN", `no verb \`${printable(verb, 64)}\` here`);
  return { id, verb, handler, fields };
}

/**
 * The id of a line that was refused. Without it, a client that has several requests under way could not tell which of
 * them was refused, and would wait for an answer to it. Null if the line is no JSON object, holds far too
 * much, or names a key twice and therefore has no certain id.
 */
function idIn(line: Buffer, { code }: JsonFault): number | null {
  const text = line.toString("utf8");
  if (code === "FEMTO_PROTOCOL_DUPLICATE_KEY" || !isJsonWithin(text, ID_EXTENT)) return null;
  try {
    const { id } = Object(parseJson(text)) as { readonly id?: unknown };
    return typeof id === "number" && Number.isSafeInteger(id) ? id : null;
  } catch {
    return null;
  }
}

/** What a client is told for whose connection there is no place. */
export function noPlace(): string {
  const reason = `${LIMITS.socketConnections} connections to this socket are open, and it takes no more`;
  return failure(null, "FEMTO_OVERLOADED", reason);
}

/** The answer to a line that was skipped because of its length. */
export function tooLongLine(): string {
  return failure(null, "FEMTO_SOCKET_REQUEST", `a line is longer than ${LIMITS.socketLineBytes} bytes`);
}

function failed(id: number, error: unknown): string {
  const { code, message, fix } = faultOf(error);
  return failure(id, code, message, fix);
}

function failure(id: number | null, code: ErrorCode, reason: string, fix?: string): string {
  const error: SocketError = { code, reason, fix: fix ?? ERRORS[code].fix };
  return encoded({ id, ok: false, error });
}

function encoded(response: SocketResponse): string {
  return `${JSON.stringify(response)}\n`;
}
