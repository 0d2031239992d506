/** One request and its answer, over a connection of its own that ends with it. */
import { errorText, FemtoError, printable } from "@femtoclaw/protocol";
import type { Dispatcher } from "undici";
import type { BoundHost } from "../facts/bound-arguments.ts";
import { type SecretValues, withValues } from "../facts/stored-secrets.ts";
import { pinnedConnector } from "./pinned-connector.ts";
import { SecretFilter } from "./secret-filter.ts";
import { Wrapping } from "./wrapping.ts";

/** LIMIT: bytes of the headers of one answer, as servers and browsers have it. */
const HEADER_BYTES = 16_384;

/** Bytes that are set aside for a body before its size is known. */
const FIRST_BYTES = 65_536;

export interface Request {
  readonly host: BoundHost;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | null;
}

export interface Answer {
  readonly status: number;
  /** Names in lower case; one that came several times has its values joined. */
  readonly headers: Readonly<Record<string, string>>;
  /** As it came over the wire. */
  readonly body: Buffer;
}

/**
 * Throws a fault that says why there is no answer, or the reason of the signal. What of `spent` comes back, the request's
 * own secrets among them, comes back as names.
 */
export async function exchange(
  request: Request,
  signal: AbortSignal,
  bodyBytesMax: number,
  spent: SecretValues,
): Promise<Answer> {
  const filter = new SecretFilter(spent);
  return await converse(request, signal, filter, async ({ status, headers, pieces }) => ({
    status,
    headers,
    body: filter.bytes(await wholeOf(pieces, bodyBytesMax)),
  }));
}

/** An answer whose body is still on its way. INVARIANT: I10: who reads it takes secrets out of it by the filter. */
export interface BegunAnswer extends Omit<Answer, "body"> {
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** The same for who reads the body as it comes, and may have enough of it; the connection ends with that. */
export async function converse<T>(
  request: Request,
  signal: AbortSignal,
  filter: SecretFilter,
  read: (answer: BegunAnswer) => Promise<T>,
): Promise<T> {
  const { host, method, headers, body } = request;
  // Loaded on first use: a host that fetches nothing starts without it.
  const { Client, tlsConnect } = await import("./http-client.ts");
  const wrapping = new Wrapping();
  const client = new Client(originOf(host), {
    connect: pinnedConnector(tlsConnect, host, signal, (socket) => wrapping.watch(socket)),
    allowH2: false,
    // One request, and the connection is over: nothing that follows an answer is read as another one.
    pipelining: 0,
    maxHeaderSize: HEADER_BYTES,
    // The call's own time ends both, however slowly an answer drips.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  try {
    const answer = await client.request({
      path: host.target,
      method: method as Dispatcher.HttpMethod,
      // INVARIANT: I9: nothing is unpacked here, so a small answer never becomes a large one.
      headers: { ...withSecrets(headers, host.secrets), "accept-encoding": "identity" },
      body,
      signal,
    });
    return await read({
      status: answer.statusCode,
      headers: headersOf(answer.headers, filter),
      pieces: wrapping.taken(answer.body),
    });
  } catch (error) {
    signal.throwIfAborted();
    throw faultOf(error, filter);
  } finally {
    await client.destroy();
  }
}

/** What stands before the path in the URL of an answer. */
export function originOf({ scheme, host, port }: BoundHost): string {
  return new URL(`${scheme}://${host}:${port}`).origin;
}

/** Into one buffer: a server that sends single bytes would otherwise have a hundred kept for each. */
export async function wholeOf(stream: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Buffer> {
  let body = Buffer.alloc(Math.min(bytesMax, FIRST_BYTES));
  let total = 0;
  for await (const chunk of stream) {
    const wanted = total + chunk.byteLength;
    if (wanted > bytesMax) {
      throw new FemtoError("FEMTO_FETCH_TOO_LARGE", `the body of the answer has more than ${bytesMax} bytes`);
    }
    if (wanted > body.length) {
      const larger = Buffer.alloc(Math.min(bytesMax, Math.max(wanted, 2 * body.length)));
      body.copy(larger, 0, 0, total);
      body = larger;
    }
    body.set(chunk, total);
    total = wanted;
  }
  return body.subarray(0, total);
}

function withSecrets(headers: Request["headers"], values: SecretValues): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, withValues(value, values)]));
}

function headersOf(
  found: Readonly<Record<string, string | string[] | undefined>>,
  filter: SecretFilter,
): Record<string, string> {
  const entries = Object.entries(found).flatMap(([name, value]) => {
    // Nothing is kept from call to call, so a cookie would be a secret for nothing.
    if (value === undefined || /^set-cookie2?$/i.test(name)) return [];
    return [[name.toLowerCase(), Array.isArray(value) ? value.join(", ") : value]];
  });
  const clean = filter.lines(entries.flat());
  return Object.fromEntries(entries.map((_, index) => [clean[2 * index], clean[2 * index + 1]])) as Record<
    string,
    string
  >;
}

function faultOf(error: unknown, filter: SecretFilter): FemtoError {
  if (error instanceof FemtoError) return error;
  const { code } = Object(error) as { readonly code?: unknown };
  if (code === "UND_ERR_HEADERS_OVERFLOW") {
    return new FemtoError("FEMTO_FETCH_TOO_LARGE", `the headers of the answer have more than ${HEADER_BYTES} bytes`);
  }
  const name = typeof code === "string" ? `${printable(code, 64)}: ` : "";
  return new FemtoError(
    "FEMTO_FETCH_FAILED",
    `there is no proper answer (${name}${printable(filter.text(errorText(error)), 200)})`,
  );
}
