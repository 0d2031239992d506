/** An OTLP receiver over real HTTP that keeps what it accepts, and can refuse, reject, lie, hang and go away. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type DecodedLog, type DecodedMetric, type DecodedSpan, decodeOtlp } from "./otlp-decoder.ts";

export type Behaviour =
  | "accept"
  /** 400. */
  | "refuse"
  /** 503, and when to come again. */
  | "unavailable"
  /** 200, but two items of each request are not taken. */
  | "reject"
  /** 200 with a page, as a proxy does that nobody told of collectors. */
  | "page"
  /** 200 with an answer without end. */
  | "flood"
  /** 302 to another address. */
  | "redirect"
  /** Keeps what came and says nothing, so that it comes again. */
  | "forget"
  | "hang";

export class Receiver implements AsyncDisposable {
  readonly spans: DecodedSpan[] = [];
  readonly logs: DecodedLog[] = [];
  /** As they were sent last. */
  metrics: readonly DecodedMetric[] = [];
  /** Everything that arrived, as it was sent. */
  text = "";
  /** Faults that the decoder found. */
  readonly faults: string[] = [];
  /** Requests for spans so far, refused ones too. */
  requests = 0;
  behaviour: Behaviour = "accept";
  /** A path that it answers with 404. */
  unknown: string | null = null;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** At the port, or at any that is free. */
  static async open(port = 0): Promise<Receiver> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => receiver.#answer(request, Buffer.concat(chunks), response));
    });
    const receiver = new Receiver(server);
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Sequence numbers of the records that arrived as spans, in order of arrival. */
  get seqs(): number[] {
    return this.spans.map(({ attributes }) => Number(attributes["femtoclaw.record.seq"]));
  }

  /** The value of a metric, over all labels or over those that are given. */
  metric(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    const points = this.metrics.find((metric) => metric.name === name)?.points;
    return points
      ?.filter(({ attributes }) => Object.entries(labels).every(([key, value]) => attributes[key] === value))
      .reduce((sum, { value }) => sum + value, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer({ url = "" }: IncomingMessage, body: Buffer, response: ServerResponse): void {
    if (url === "/v1/traces") this.requests += 1;
    const json = { "content-type": "application/json" };
    if (url === this.unknown) {
      response.writeHead(404).end();
      return;
    }
    switch (this.behaviour) {
      case "hang":
        return;
      case "refuse":
        response.writeHead(400, json).end("{}");
        return;
      case "unavailable":
        response.writeHead(503, { ...json, "retry-after": "1" }).end("{}");
        return;
      case "page":
        response.writeHead(200, { "content-type": "text/html" }).end("<html>Welcome</html>");
        return;
      case "flood":
        response.writeHead(200, json).end(" ".repeat(1_000_000));
        return;
      case "redirect":
        response.writeHead(307, { location: `http://127.0.0.1:${this.port}/elsewhere` }).end();
        return;
      default:
    }
    try {
      this.#keep(url, body.toString("utf8"));
    } catch (error) {
      this.faults.push(String(error));
    }
    if (this.behaviour === "forget") response.destroy();
    else response.writeHead(200, json).end(this.behaviour === "reject" ? rejecting(url) : "{}");
  }

  #keep(url: string, body: string): void {
    this.text += body;
    const { spans, logs, metrics } = decodeOtlp(url, body);
    this.spans.push(...spans);
    this.logs.push(...logs);
    if (metrics.length > 0) this.metrics = metrics;
  }
}

function rejecting(url: string): string {
  const names: Record<string, string> = {
    "/v1/traces": "rejectedSpans",
    "/v1/logs": "rejectedLogRecords",
    "/v1/metrics": "rejectedDataPoints",
  };
  const errorMessage = "two of them are \u001b[31mtoo old\u001b[0m\n";
  return JSON.stringify({ partialSuccess: { [names[url] ?? ""]: "2", errorMessage } });
}

/** A port at which nobody listens, for a receiver that comes later. */
export async function freePort(): Promise<number> {
  await using receiver = await Receiver.open();
  return receiver.port;
}
