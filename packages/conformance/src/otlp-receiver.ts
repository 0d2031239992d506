/** Receives telemetry over real HTTP, as a collector would, and keeps what arrived. It can be shut for a while. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface ReceivedSpan {
  readonly name: string;
  /** Of the tool call that the span is about; null for others. */
  readonly execution: string | null;
}

interface OtlpRequest {
  readonly resourceSpans?: readonly {
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly name: string;
        readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[];
      }[];
    }[];
  }[];
}

/** LIMIT: bytes of all that arrived that are kept as text, for the search for secrets. */
const TEXT_BYTES_MAX = 64 * 1_048_576;

export class OtlpReceiver implements AsyncDisposable {
  readonly spans: ReceivedSpan[] = [];
  /** Everything that arrived, as it was sent. */
  text = "";
  isShut = false;
  /** Requests that were refused while it was shut. */
  refused = 0;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<OtlpReceiver> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        if (receiver.isShut) receiver.refused += 1;
        else receiver.#keep(Buffer.concat(chunks).toString("utf8"));
        response.writeHead(receiver.isShut ? 503 : 200, { "content-type": "application/json" }).end("{}");
      });
    });
    const receiver = new OtlpReceiver(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return receiver;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #keep(body: string): void {
    if (this.text.length < TEXT_BYTES_MAX) this.text += body;
    for (const { scopeSpans } of (JSON.parse(body) as OtlpRequest).resourceSpans ?? []) {
      for (const { name, attributes } of scopeSpans.flatMap(({ spans }) => spans)) {
        const execution = attributes.find(({ key }) => key === "gen_ai.tool.call.id")?.value.stringValue ?? null;
        this.spans.push({ name, execution });
      }
    }
  }
}
