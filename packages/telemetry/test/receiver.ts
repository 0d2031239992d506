/** An OTLP receiver over real HTTP that keeps what it accepts, and can refuse, hang and go away. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code?: number };
  readonly attributes: Readonly<Record<string, string | number>>;
}

interface OtlpValue {
  readonly stringValue?: string;
  readonly intValue?: string | number;
}

interface OtlpSpan extends Omit<ReceivedSpan, "attributes"> {
  readonly attributes: readonly { readonly key: string; readonly value: OtlpValue }[];
}

interface OtlpRequest {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[] }[];
}

export class Receiver implements AsyncDisposable {
  readonly spans: ReceivedSpan[] = [];
  /** Requests so far, refused ones too. */
  requests = 0;
  behaviour: "accept" | "refuse" | "hang" = "accept";
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** At the port, or at any that is free. */
  static async open(port = 0): Promise<Receiver> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        receiver.requests += 1;
        if (receiver.behaviour === "hang") return;
        const accepted = receiver.behaviour === "accept" && request.url === "/v1/traces";
        if (accepted) receiver.#keep(JSON.parse(Buffer.concat(chunks).toString("utf8")) as OtlpRequest);
        response.writeHead(accepted ? 200 : 400, { "content-type": "application/json" }).end("{}");
      });
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

  /** Sequence numbers of the records that arrived, in order of arrival. */
  get seqs(): number[] {
    return this.spans.map(({ attributes }) => Number(attributes["femtoclaw.record.seq"]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #keep({ resourceSpans }: OtlpRequest): void {
    for (const { scopeSpans } of resourceSpans) {
      for (const { spans } of scopeSpans) {
        for (const span of spans) {
          const attributes = span.attributes.map(({ key, value }) => [
            key,
            value.stringValue ?? Number(value.intValue),
          ]);
          this.spans.push({ ...span, attributes: Object.fromEntries(attributes) as ReceivedSpan["attributes"] });
        }
      }
    }
  }
}

/** A port at which nobody listens, for a receiver that comes later. */
export async function freePort(): Promise<number> {
  await using receiver = await Receiver.open();
  return receiver.port;
}
