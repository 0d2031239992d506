/**
 * One request to a collector, and what its answer means. Only a plain acceptance counts as one: a proxy that answers
 * everything with 200 has accepted nothing.
 */
import { errorText, FemtoError, parseJson } from "@femtoclaw/protocol";
import { told } from "./record-identity.ts";

export type Signal = "traces" | "logs" | "metrics";

/** The part that a collector rejected of an accepted request. The protocol forbids sending it again. */
export interface Rejection {
  readonly count: number;
  readonly reason: string;
}

/** The request was not accepted; it will be sent again. */
export class NotAccepted extends Error {
  /** The pause for which the collector asks; null if it does not say. */
  readonly retryAfterMs: number | null;

  constructor(message: string, retryAfterMs: number | null = null) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

/** LIMIT: milliseconds for one request and its answer. */
const REQUEST_MS = 10_000;
/** LIMIT: bytes of an answer; the protocol has none that are longer. */
const ANSWER_BYTES_MAX = 65_536;

const REJECTED: Readonly<Record<Signal, string>> = {
  traces: "rejectedSpans",
  logs: "rejectedLogRecords",
  metrics: "rejectedDataPoints",
};

export interface OtlpRequest {
  readonly endpoint: string;
  readonly signal: Signal;
  readonly body: Uint8Array;
  /** Number of items in the request. */
  readonly count: number;
  /** Aborts to end the request early. */
  readonly signalToStop: AbortSignal;
}

/** Resolves with what the collector rejected, once it has accepted the request; throws `NotAccepted` otherwise. */
export async function sendOtlp({
  endpoint,
  signal,
  body,
  count,
  signalToStop,
}: OtlpRequest): Promise<Rejection | null> {
  const path = `/v1/${signal}`;
  const ends = AbortSignal.any([signalToStop, AbortSignal.timeout(REQUEST_MS)]);
  const answer = await answerTo(endpoint.replace(/\/+$/, ""), path, body, ends);
  return rejection(answer, signal, count);
}

/**
 * INVARIANT: I10: the reason of a failure is recorded, so it names only the path below the endpoint: the rest may hold
 * a token.
 */
async function answerTo(endpoint: string, path: string, body: Uint8Array, signal: AbortSignal): Promise<Buffer> {
  try {
    const response = await fetch(endpoint + path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
      signal,
      // INVARIANT: telemetry goes only to the address in the configuration, and to none to which that redirects.
      redirect: "manual",
    });
    const answer = await cappedBody(response);
    if (response.status === 200) return answer;
    throw new NotAccepted(`${path} answered ${response.status}`, retryAfterMs(response.headers));
  } catch (error) {
    if (error instanceof NotAccepted) throw error;
    throw new NotAccepted(reasonOf(error));
  }
}

async function cappedBody(response: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) throw new NotAccepted("the answer is longer than any of this protocol");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Seconds or a date; anything else is ignored. */
function retryAfterMs(headers: Headers): number | null {
  const value = headers.get("retry-after");
  if (value === null) return null;
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? ms : null;
}

function rejection(answer: Buffer, signal: Signal, count: number): Rejection | null {
  // Some collectors answer an accepted request with an empty body.
  if (answer.length === 0) return null;
  const value = jsonObject(answer);
  const partial = value?.["partialSuccess"] ?? {};
  if (value === null || typeof partial !== "object") throw new NotAccepted("the answer is none of this protocol");
  const { [REJECTED[signal]]: said = 0, errorMessage } = partial as Readonly<Record<string, unknown>>;
  const rejected = typeof said === "number" || typeof said === "string" ? Number(said) : Number.NaN;
  if (!Number.isSafeInteger(rejected) || rejected < 0) throw new NotAccepted("the answer rejects what is no number");
  if (rejected === 0) return null;
  const reason = typeof errorMessage === "string" && errorMessage !== "" ? told(errorMessage) : "it gave no reason";
  // A collector cannot have rejected more than it was sent, whatever it says.
  return { count: Math.min(rejected, count), reason };
}

function jsonObject(bytes: Buffer): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = parseJson(bytes.toString("utf8"));
    return value !== null && typeof value === "object" && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : null;
  } catch {
    return null;
  }
}

/** `fetch` gives the reason in its error's cause. */
function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === "TimeoutError") {
    return `it did not answer within ${REQUEST_MS / 1_000} seconds`;
  }
  if (error instanceof FemtoError) return error.message;
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return told(errorText(cause));
}
