/**
 * The local server of the page: on loopback only, at a random port, with one page and a few requests. It holds no
 * records: what the page asks for is read from the log at that moment, and a page that stops reading stops asking.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { ConnectionPlaces, FemtoError, faultOf, parseStrictJson } from "@femtoclaw/protocol";
import { Admission, type Refusal } from "./admission.ts";
import { cappedJson } from "./capped-json.ts";
import type { Inspection } from "./inspection.ts";
import { contentPolicy, pageHtml } from "./page-html.ts";

/** LIMIT: concurrent connections with the session, of which a browser opens six, and without it. */
const PLACES = { known: 32, strangers: 64 };
/** LIMIT: bytes of a request's body; an answer to a question has some hundred. */
const BODY_BYTES_MAX = 8_192;
/**
 * LIMIT: milliseconds in which the headers of a request have to arrive, and all of it, and for which a response may wait
 * for its reader.
 */
const HEADERS_MS = 2_000;
const REQUEST_MS = 10_000;
const UNREAD_MS = 30_000;
/** Milliseconds between two looks for those that take longer; by default Node.js looks twice a minute. */
const LOOK_MS = 1_000;

export interface InspectorServer extends AsyncDisposable {
  /** The address with the ticket in its fragment. */
  readonly url: string;
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
}

export async function serveInspector(inspection: Inspection): Promise<InspectorServer> {
  const times = { requestTimeout: REQUEST_MS, headersTimeout: HEADERS_MS, connectionsCheckingInterval: LOOK_MS };
  const server = createServer({ ...times, maxHeaderSize: 8_192 });
  const places = new ConnectionPlaces(PLACES);
  server.on("connection", places.take);
  server.setTimeout(UNREAD_MS, (socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    // This listener stays, because a connection that cannot be accepted must not end the inspector.
    server.on("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const host = `127.0.0.1:${(server.address() as { port: number }).port}`;
  const admission = new Admission(host);
  const page = pageHtml({ title: "FemtoClaw" });
  // INVARIANT: I9: each connection gets one response at a time, so a client that asks without reading only delays
  // itself.
  const turns = new WeakMap<IncomingMessage["socket"], Promise<void>>();
  server.on("request", (request, response) => {
    const { socket } = request;
    const turn = (turns.get(socket) ?? Promise.resolve()).then(async () => {
      const read = once(response, "close");
      await answer(request, { response, admission, places, inspection, page }).catch((error: unknown) =>
        fail(response, error),
      );
      await read;
    });
    turns.set(socket, turn);
  });
  return {
    url: `http://${host}/#${admission.ticket}`,
    origin: `http://${host}`,
    [Symbol.asyncDispose]: () => closed(server),
  };
}

async function closed(server: Server): Promise<void> {
  const ended = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await ended;
}

interface Parts {
  readonly response: ServerResponse;
  readonly admission: Admission;
  readonly places: ConnectionPlaces;
  readonly inspection: Inspection;
  readonly page: string;
}

async function answer(request: IncomingMessage, parts: Parts): Promise<void> {
  const { response, admission, places, inspection, page } = parts;
  const { pathname, searchParams } = URL.parse(request.url ?? "/", "http://inspector") ?? NOWHERE;
  const { method, headers } = request;
  const refused = admission.refuseOrigin(request, method === "GET" && pathname === "/");
  if (refused !== null) return refuse(response, refused);
  if (method === "GET" && pathname === "/") return send(response, 200, "text/html; charset=utf-8", page);
  if (method === "POST" && pathname === "/v1/session") {
    const session = admission.exchange(String((await bodyOf(request))["ticket"] ?? ""));
    if (session === null)
      return refuse(response, { status: 401, reason: "the ticket was already used, or never issued" });
    return json(response, 200, { session });
  }
  const stranger = admission.refuseStranger(headers);
  if (stranger !== null) return refuse(response, stranger);
  places.know(request.socket);
  const [, version, what = "", name = ""] = pathname.split("/");
  if (version !== "v1") return json(response, 404, { reason: "there is nothing with this name" });
  if (method === "POST" && what === "answers") return json(response, 200, await answered(request, inspection));
  if (method !== "GET") return json(response, 405, { reason: "this is only read" });
  json(response, 200, await asked(inspection, what, nameOf(name), searchParams));
}

/** What a request that names no address of any form asks for. */
const NOWHERE = new URL("http://inspector/nowhere");

function nameOf(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw invalid("there is nothing with this name");
  }
}

async function asked(inspection: Inspection, what: string, name: string, query: URLSearchParams): Promise<unknown> {
  switch (what) {
    case "begin":
      return await inspection.begin();
    case "records":
      return await inspection.records(countOf(query.get("from")));
    case "status":
      return await inspection.status();
    case "bodies":
      return await inspection.body(countOf(name));
    case "explanations":
      return await inspection.explain(name);
    case "proofs":
      return await inspection.prove(countOf(name));
    case "questions":
      return await inspection.questions();
    default:
      throw invalid("there is nothing with this name");
  }
}

/** INVARIANT: I8: the only write: an answer to a question exactly as it was seen, which the digest ensures. */
async function answered(request: IncomingMessage, inspection: Inspection): Promise<unknown> {
  if (!(await inspection.begin()).approve) {
    throw new FemtoError("FEMTO_USAGE", "questions are answered here only with --approve", {
      fix: "Stop `femtoclaw inspect` and start it again with `--approve`, or use `femtoclaw approvals`.",
    });
  }
  const { approval, digest, answer, reason, ...rest } = await bodyOf(request);
  if (Object.keys(rest).length > 0) throw invalid("an answer has no further fields");
  if (typeof approval !== "string" || typeof digest !== "string") throw invalid("an answer names question and digest");
  if (answer !== "granted" && answer !== "refused") throw invalid("an answer is `granted` or `refused`");
  if (reason !== undefined && typeof reason !== "string") throw invalid("a reason is a text");
  return await inspection.answer({ approval, digest, answer, ...(reason === undefined ? {} : { reason }) });
}

function countOf(text: string | null): number {
  if (text !== null && /^[0-9]{1,15}$/.test(text)) return Number(text);
  throw invalid("this is no number of a record");
}

async function bodyOf(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw invalid("the body is too long");
    chunks.push(chunk);
  }
  const parsed = parseStrictJson(Buffer.concat(chunks), { bytes: BODY_BYTES_MAX, depth: 2, nodes: 16 });
  const value = parsed.ok ? parsed.value : null;
  if (value !== null && typeof value === "object" && !Array.isArray(value)) return value;
  throw invalid("the body is no JSON object");
}

const invalid = (reason: string): FemtoError => new FemtoError("FEMTO_SOCKET_REQUEST", reason);

function refuse(response: ServerResponse, { status, reason }: Refusal): void {
  json(response, status, { reason });
}

function fail(response: ServerResponse, error: unknown): void {
  const { code, message, fix } = faultOf(error);
  if (response.headersSent) response.destroy();
  else json(response, code === "FEMTO_INTERNAL" ? 500 : 400, { code, reason: message, fix });
}

function json(response: ServerResponse, status: number, value: unknown): void {
  send(response, status, "application/json", cappedJson(value));
}

const HEADERS = {
  "Content-Security-Policy": `${contentPolicy("'self'")}; frame-ancestors 'none'`,
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cache-Control": "no-store",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
} as const;

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { ...HEADERS, "Content-Type": type });
  response.end(body);
}
