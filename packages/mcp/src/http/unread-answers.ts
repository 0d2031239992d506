/** Answers over HTTP that clients have not read yet, counted per client and for all together. */
import type { ServerResponse } from "node:http";
import { UNREAD_BYTES_MAX, UNREAD_BYTES_OF_ALL_MAX } from "../overload.ts";

/** The answers of all clients of one server. */
export class AllUnreadAnswers {
  readonly #clients = new Set<UnreadAnswers>();

  /** Adds a client; disposing of the result removes it. */
  client(): UnreadAnswers {
    const client: UnreadAnswers = new UnreadAnswers(this, () => this.#clients.delete(client));
    this.#clients.add(client);
    return client;
  }

  get bytes(): number {
    let bytes = 0;
    for (const client of this.#clients) bytes += client.bytes;
    return bytes;
  }

  /** When one client reads, another one may get room. */
  look(): void {
    for (const client of this.#clients) client.look();
  }
}

/** The answers of one client. */
export class UnreadAnswers implements Disposable {
  readonly #all: AllUnreadAnswers;
  readonly #forget: () => void;
  readonly #responses = new Set<ServerResponse>();
  #waiting: PromiseWithResolvers<void> | null = null;

  constructor(all: AllUnreadAnswers, forget: () => void) {
    this.#all = all;
    this.#forget = forget;
  }

  add(response: ServerResponse): void {
    this.#responses.add(response);
    const look = (): void => this.#all.look();
    response.on("drain", look);
    response.once("close", () => {
      this.#responses.delete(response);
      look();
    });
  }

  get bytes(): number {
    let bytes = 0;
    for (const { writableLength } of this.#responses) bytes += writableLength;
    return bytes;
  }

  /** Resolves once the client has read enough of what it was sent, or has gone. */
  async untilRead(): Promise<void> {
    if (this.#hasRoom) return;
    this.#waiting ??= Promise.withResolvers<void>();
    await this.#waiting.promise;
  }

  // INVARIANT: I9: many clients that do not read share one limit, and a client that has read everything waits for none
  // of them.
  get #hasRoom(): boolean {
    const { bytes } = this;
    return bytes === 0 || (bytes <= UNREAD_BYTES_MAX && this.#all.bytes <= UNREAD_BYTES_OF_ALL_MAX);
  }

  look(): void {
    if (this.#waiting === null || !this.#hasRoom) return;
    this.#waiting.resolve();
    this.#waiting = null;
  }

  /** The client has gone, so nothing waits for it any more. */
  [Symbol.dispose](): void {
    this.#forget();
    this.#waiting?.resolve();
    this.#waiting = null;
    this.#all.look();
  }
}
