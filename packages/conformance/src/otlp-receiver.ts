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
        const status = receiver.#taken(Buffer.concat(chunks).toString("utf8"));
        response.writeHead(status, { "content-type": "application/json" }).end("{}");
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

  /** The status of the answer. */
  #taken(body: string): number {
    if (this.isShut) {
      this.refused += 1;
      return 503;
    }
    if (this.text.length < TEXT_BYTES_MAX) this.text += body;
    const spans = spansIn(body);
    if (spans === null) return 400;
    this.spans.push(...spans);
    return 200;
  }
}

/** Null for what is no telemetry: the deployment that sent it is the one that is examined. */
function spansIn(body: string): ReceivedSpan[] | null {
  try {
    const { resourceSpans = [] } = JSON.parse(body) as OtlpRequest;
    return resourceSpans
      .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
      .map(({ name, attributes }) => {
        const execution = attributes.find(({ key }) => key === "gen_ai.tool.call.id")?.value.stringValue ?? null;
        return { name, execution };
      });
  } catch {
    return null;
  }
}
