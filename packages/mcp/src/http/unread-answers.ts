/** Answers of one client over HTTP that it has not read yet. */
import type { ServerResponse } from "node:http";
import { UNREAD_BYTES_MAX } from "../overload.ts";

export class UnreadAnswers {
  readonly #responses = new Set<ServerResponse>();
  #waiting: PromiseWithResolvers<void> | null = null;

  add(response: ServerResponse): void {
    this.#responses.add(response);
    const look = (): void => this.#look();
    response.on("drain", look);
    response.once("close", () => {
      this.#responses.delete(response);
      look();
    });
  }

  /** Resolves once the client has read what was said to it, or has gone. */
  async untilRead(): Promise<void> {
    if (this.#hasRoom) return;
    this.#waiting ??= Promise.withResolvers<void>();
    await this.#waiting.promise;
  }

  get #hasRoom(): boolean {
    let bytes = 0;
    for (const { writableLength } of this.#responses) bytes += writableLength;
    return bytes <= UNREAD_BYTES_MAX;
  }

  #look(): void {
    if (this.#waiting === null || !this.#hasRoom) return;
    this.#waiting.resolve();
    this.#waiting = null;
  }
}
