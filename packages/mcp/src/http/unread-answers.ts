/** Answers over HTTP that their clients have not read yet: those of each client, and those of all together. */
import type { ServerResponse } from "node:http";
import { UNREAD_BYTES_MAX, UNREAD_BYTES_OF_ALL_MAX } from "../overload.ts";

/** The answers of all clients of one server. */
export class AllUnreadAnswers {
  readonly #clients = new Set<UnreadAnswers>();

  /** For a new client; disposing of it forgets the client. */
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

  /** What one client has read may be room for another. */
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

  /** Resolves once the client has read what was said to it, or has gone. */
  async untilRead(): Promise<void> {
    if (this.#hasRoom) return;
    this.#waiting ??= Promise.withResolvers<void>();
    await this.#waiting.promise;
  }

  // INVARIANT: I9: many clients that do not read share a bound, and a client that has read everything waits for none of them.
  get #hasRoom(): boolean {
    const { bytes } = this;
    return bytes === 0 || (bytes <= UNREAD_BYTES_MAX && this.#all.bytes <= UNREAD_BYTES_OF_ALL_MAX);
  }

  look(): void {
    if (this.#waiting === null || !this.#hasRoom) return;
    this.#waiting.resolve();
    this.#waiting = null;
  }

  /** The client has gone; nothing waits for it any more. */
  [Symbol.dispose](): void {
    this.#forget();
    this.#waiting?.resolve();
    this.#waiting = null;
    this.#all.look();
  }
}
