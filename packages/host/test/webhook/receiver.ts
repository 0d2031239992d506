/** A receiver on loopback that answers as a test wants, and a clock on which pauses are short. */
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Clock, systemClock } from "@femtoclaw/journal";
import { onTestFinished } from "vitest";
import { type WebhookMessage, webhookMessage } from "../../src/webhook/webhook-message.ts";

export const KEY = "a secret of twenty-four letters";

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly message: WebhookMessage;
}

export class Receiver {
  readonly received: Received[] = [];
  answer: RequestListener = (_, response) => response.writeHead(204).end();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(port = 0): Promise<Receiver> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const body = Buffer.concat(chunks).toString();
        receiver.received.push({ headers: request.headers, body, message: JSON.parse(body) as WebhookMessage });
        receiver.answer(request, response);
      });
    }).listen(port, "127.0.0.1");
    const receiver = new Receiver(server);
    await once(server, "listening");
    onTestFinished(() => receiver.close());
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hook`;
  }

  /** What was told, in short. */
  get told(): string[] {
    return this.received.map(({ message }) => `${message.event} ${message.id}`);
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

/** As a receiver checks it that knows nothing but the secret. */
export function isGenuine({ headers, body }: Received, key: string): boolean {
  const signed = `${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${body}`;
  return headers["webhook-signature"] === `v1,${createHmac("sha256", key).update(signed).digest("base64")}`;
}

/** Time of one attempt, which has to be enough on a machine that is busy. */
const ATTEMPT_MS = 10_000;

/** Pauses are two hundred times as short, attempts ten times. */
export function quickClock(): Clock {
  const clock = systemClock();
  const quick = (delayMs: number): number => (delayMs === ATTEMPT_MS ? delayMs / 10 : delayMs / 200);
  return { ...clock, after: (delayMs, callback, options) => clock.after(quick(delayMs), callback, options) };
}

export function messageOf(id: number, changes: Partial<WebhookMessage> = {}): WebhookMessage {
  return webhookMessage({
    event: "asked",
    id: String(id),
    tool: "process_exec",
    rule: "toml/ask.run.git/1",
    reason: "it asks",
    expires_at: "2026-01-01T00:00:00.000Z",
    digest: "d".repeat(64),
    log: "example/log",
    record: id,
    answer: null,
    ...changes,
  });
}
