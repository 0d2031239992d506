/**
 * One request to a collector, and what its answer is worth. Whatever is not plainly an acceptance is none: a proxy
 * that answers everything with 200 has taken nothing.
 */
import { errorText, FemtoError } from "@femtoclaw/protocol";
import { told } from "./record-identity.ts";

export type Signal = "traces" | "logs" | "metrics";

/** What the collector did not take of a request that it accepted. Sending that again is against the protocol. */
export interface Rejection {
  readonly count: number;
  readonly reason: string;
}

/** That a request was not accepted; it is sent again. */
export class NotAccepted extends Error {
  /** How long the collector asks for; null where it does not say. */
  readonly retryAfterMs: number | null;

  constructor(message: string, retryAfterMs: number | null = null) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

/** LIMIT: time for one request and its answer. */
const REQUEST_MS = 10_000;
/** LIMIT: bytes of an answer; one that is longer is none of this protocol. */
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
  /** Items in the request. */
  readonly count: number;
  /** Ends the request early. */
  readonly signalToStop: AbortSignal;
}

/** Resolves once the collector accepted it, with what it rejected of it; throws `NotAccepted` otherwise. */
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

/** INVARIANT: I10: why it failed is recorded, so it names the path below the endpoint alone: that of the endpoint may be a token. */
async function answerTo(endpoint: string, path: string, body: Uint8Array, signal: AbortSignal): Promise<Buffer> {
  try {
    const response = await fetch(endpoint + path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
      signal,
      // INVARIANT: telemetry goes to the address that the configuration names, and to no other that this one names.
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

/** Seconds or a date; what is neither asks for nothing. */
function retryAfterMs(headers: Headers): number | null {
  const value = headers.get("retry-after");
  if (value === null) return null;
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? ms : null;
}

function rejection(answer: Buffer, signal: Signal, count: number): Rejection | null {
  // A few collectors say nothing at all where they accept.
  if (answer.length === 0) return null;
  const value = jsonObject(answer);
  const partial = value?.["partialSuccess"] ?? {};
  if (value === null || typeof partial !== "object") throw new NotAccepted("the answer is none of this protocol");
  const { [REJECTED[signal]]: said = 0, errorMessage } = partial as Readonly<Record<string, unknown>>;
  const rejected = typeof said === "number" || typeof said === "string" ? Number(said) : Number.NaN;
  if (!Number.isSafeInteger(rejected) || rejected < 0) throw new NotAccepted("the answer rejects what is no number");
  if (rejected === 0) return null;
  const reason = typeof errorMessage === "string" && errorMessage !== "" ? told(errorMessage) : "it gave no reason";
  // A collector that says that it rejected more than it got is believed as far as it got something.
  return { count: Math.min(rejected, count), reason };
}

function jsonObject(bytes: Buffer): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    return value !== null && typeof value === "object" && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : null;
  } catch {
    return null;
  }
}

/** `fetch` says why in the cause. */
function reasonOf(error: unknown): string {
  if (error instanceof FemtoError) return error.message;
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return told(errorText(cause));
}
