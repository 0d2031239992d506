/**
 * A small HTTP server that is only read from: a few paths, each with an answer that the host knows anyway. It takes no
 * body and tells nothing about calls. Anybody who can connect may read it, so a request that a foreign web page makes
 * through a browser is refused.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { ConnectionPlaces, FemtoError, systemErrorCode } from "@femtoclaw/protocol";
import type { EndpointAddress } from "@femtoclaw/runtime/configuration";
import { bracketed, endpointUrl } from "./endpoint-url.ts";

/** LIMIT: connections at once; a few clients that ask now and then need no more. None of them shows a secret. */
const PLACES = { known: 0, strangers: 16 };
/** LIMIT: time for a request to arrive completely, and for its answer to be read. */
const REQUEST_MS = 3_000;
/** Pause between two looks for requests that take longer; by default, Node.js looks only twice a minute. */
const LOOK_MS = 1_000;
/** LIMIT: bytes of the headers of a request. */
const HEADER_BYTES_MAX = 8_192;

export interface HttpAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Answers by path. */
export type Routes = Readonly<Record<string, () => HttpAnswer>>;

export interface HttpEndpointOptions {
  readonly address: EndpointAddress;
  /** Further host names that requests may use. */
  readonly hosts: readonly string[];
  readonly routes: Routes;
}

export class HttpEndpoint {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Throws FEMTO_ENDPOINT_TAKEN if the server cannot listen at the address. */
  static async listen({ address, hosts, routes }: HttpEndpointOptions): Promise<HttpEndpoint> {
    const names = new Set([...ownNames(address), ...hosts]);
    const server = createServer(
      {
        requestTimeout: REQUEST_MS,
        headersTimeout: REQUEST_MS,
        connectionsCheckingInterval: LOOK_MS,
        maxHeaderSize: HEADER_BYTES_MAX,
      },
      (request, response) => send(response, answerTo(request, { names, routes }), request.method === "HEAD"),
    );
    server.on("connection", new ConnectionPlaces(PLACES).take);
    // A client that reads more slowly than this is not waited for.
    server.setTimeout(REQUEST_MS, (socket) => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      // INVARIANT: I9: this listener stays, because a connection that cannot be accepted must not end the host.
      server.on("error", (error) => {
        const reason = `${endpointUrl(address)} cannot be listened at (${systemErrorCode(error) ?? "unknown cause"})`;
        reject(new FemtoError("FEMTO_ENDPOINT_TAKEN", reason, { cause: error }));
      });
      server.listen(address.port, address.host, resolve);
    });
    return new HttpEndpoint(server);
  }

  async close(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await ended;
  }
}

/** The host names under which this machine reaches the address itself. */
function ownNames({ host, port }: EndpointAddress): string[] {
  return [bracketed(host), "localhost"].map((name) => `${name}:${port}`);
}

interface Admitted {
  readonly names: ReadonlySet<string>;
  readonly routes: Routes;
}

function answerTo(request: IncomingMessage, { names, routes }: Admitted): HttpAnswer {
  const { method, url = "/", headers, headersDistinct } = request;
  // INVARIANT: I8: a foreign web page whose host name is resolved to this address cannot read the answer.
  const [host = "", second] = headersDistinct["host"] ?? [];
  if (second !== undefined || !names.has(host.toLowerCase()))
    return refusal(421, "this is not an address of this host");
  if (headers.origin !== undefined || !["none", undefined].includes(headers["sec-fetch-site"]?.toString())) {
    return refusal(403, "another page asks");
  }
  if (method !== "GET" && method !== "HEAD") return refusal(405, "this is only read");
  const path = url.split("?", 1)[0] ?? "";
  return Object.hasOwn(routes, path) ? (routes[path]?.() ?? nothing) : nothing;
}

function refusal(status: number, reason: string): HttpAnswer {
  return { status, type: "text/plain; charset=utf-8", body: `${reason}\n` };
}

const nothing = refusal(404, "there is nothing with this name");

function send(response: ServerResponse, { status, type, body }: HttpAnswer, headOnly: boolean): void {
  response.writeHead(status, {
    "Content-Type": type,
    "Content-Length": Buffer.byteLength(body),
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    ...(status === 503 ? { "Retry-After": "1" } : {}),
    // A body that a client sent all the same is not read.
    Connection: "close",
  });
  response.end(headOnly ? undefined : body);
}
