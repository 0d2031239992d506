/** The witness's side of C2SP tlog-witness: a server on this machine's loopback that takes checkpoints. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { parseAddCheckpoint, REQUEST_CHARS_MAX } from "@femtoclaw/journal";
import { ConnectionPlaces, errorText, FemtoError } from "@femtoclaw/protocol";
import type { LogEntry } from "@femtoclaw/runtime";
import type { WitnessLedger } from "./witness-ledger.ts";

/** LIMIT: requests per second over all logs, so that checking signatures cannot take the whole processor. */
const REQUESTS_PER_S = 100;
/** LIMIT: connections at once. A log shows what it is by the checkpoints that it sends, and by no secret. */
const PLACES = { known: 0, strangers: 64 };
/** LIMIT: milliseconds for one request to arrive. */
const REQUEST_MS = 10_000;
/** Milliseconds between two checks for slow requests; by default Node.js checks twice a minute. */
const LOOK_MS = 1_000;

interface Reply {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
}

export class WitnessServer implements AsyncDisposable {
  readonly url: string;
  readonly #server: Server;

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  /** Port 0 lets the system choose. */
  static async listen(
    ledger: WitnessLedger,
    { host, port }: { readonly host: string; readonly port: number },
    log: (entry: LogEntry) => void,
  ): Promise<WitnessServer> {
    const rate = new Rate(REQUESTS_PER_S);
    const times = { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, connectionsCheckingInterval: LOOK_MS };
    const server = createServer(times, (request, response) => {
      void answer(ledger, rate, request, log).then((reply) => send(response, reply));
    });
    server.on("connection", new ConnectionPlaces(PLACES).take);
    // A connection that cannot be accepted concerns only its client. Without a listener it would end the witness.
    server.on("error", () => undefined);
    server.listen(port, host);
    try {
      await once(server, "listening");
    } catch (error) {
      throw new FemtoError("FEMTO_SOCKET_PATH", `cannot listen on ${host}:${port}: ${errorText(error)}`, {
        fix: "Name a free port of this machine with --listen.",
        cause: error,
      });
    }
    const address = server.address() as AddressInfo;
    return new WitnessServer(server, `http://${host.includes(":") ? `[${host}]` : host}:${address.port}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

async function answer(
  ledger: WitnessLedger,
  rate: Rate,
  request: IncomingMessage,
  log: (entry: LogEntry) => void,
): Promise<Reply> {
  if (request.url !== "/add-checkpoint") return said(404, "there is nothing here but /add-checkpoint");
  if (request.method !== "POST") return said(405, "a checkpoint is sent by POST");
  if (!rate.admits()) return said(429, "too many requests; try again in a second");
  try {
    const body = await bodyOf(request);
    if (body === null) return said(413, `a request has at most ${REQUEST_CHARS_MAX} bytes`);
    const parsed = parseAddCheckpoint(body);
    if (parsed === null) return said(400, "the request is none of C2SP tlog-witness");
    const taken = await ledger.take(parsed, Math.floor(Date.now() / 1_000));
    if ("line" in taken) return { status: 200, body: taken.line };
    if (taken.status === 409) return { status: 409, body: `${taken.heldSize}\n`, type: "text/x.tlog.size" };
    log({ level: "warn", event: "witness.refused", status: taken.status, reason: taken.reason });
    return said(taken.status, taken.reason);
  } catch (error) {
    log({ level: "error", event: "witness.fault", reason: errorText(error) });
    return said(500, "the checkpoint could not be kept");
  }
}

function said(status: number, reason: string): Reply {
  return { status, body: `${reason}\n` };
}

function send(response: ServerResponse, { status, body, type = "text/plain; charset=utf-8" }: Reply): void {
  const { socket } = response;
  response.writeHead(status, { "content-type": type }).end(body, () => {
    // The rest of the refused body is not read, so the connection cannot be used any further.
    if (status === 413) socket?.end(() => socket.destroy());
  });
}

/** Null if it is longer than any valid request. */
async function bodyOf(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  // The connection must survive leaving the loop, so that the refusal reaches the sender of an oversized body.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > REQUEST_CHARS_MAX) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Counts the requests in the current second. */
class Rate {
  readonly #perS: number;
  #second = 0;
  #count = 0;

  constructor(perS: number) {
    this.#perS = perS;
  }

  admits(): boolean {
    const second = Math.floor(performance.now() / 1_000);
    if (second !== this.#second) this.#count = 0;
    this.#second = second;
    this.#count += 1;
    return this.#count <= this.#perS;
  }
}
