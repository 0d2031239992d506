/**
 * The requests over HTTP that have no answer yet, counted for all clients together, because they all show the same
 * token. Number and bytes are limited as they are for a single client over stdio.
 */
import { REQUEST_BYTES_MAX, REQUESTS_MAX } from "../overload.ts";

export class OpenRequests {
  #count = 0;
  #bytes = 0;

  /** Null if there are too many. */
  begin(): OpenRequest | null {
    if (this.#count >= REQUESTS_MAX) return null;
    this.#count += 1;
    return new OpenRequest(
      (more) => this.#take(more),
      (bytes) => {
        this.#count -= 1;
        this.#bytes -= bytes;
      },
    );
  }

  #take(more: number): boolean {
    if (this.#bytes + more > REQUEST_BYTES_MAX) return false;
    this.#bytes += more;
    return true;
  }
}

export class OpenRequest {
  readonly #take: (bytes: number) => boolean;
  readonly #give: (bytes: number) => void;
  #bytes = 0;
  #isAwaited = false;
  #isOver = false;

  constructor(take: (bytes: number) => boolean, give: (bytes: number) => void) {
    this.#take = take;
    this.#give = give;
  }

  /** Returns false, without counting these bytes, if they would be too many together with those of the others. */
  take(bytes: number): boolean {
    if (this.#isOver || !this.#take(bytes)) return false;
    this.#bytes += bytes;
    return true;
  }

  /**
   * INVARIANT: I9: a call that continues without its client counts until it is answered, however often the client
   * reconnects.
   */
  awaitAnswer(): void {
    this.#isAwaited = true;
  }

  /** The connection has ended. */
  left(): void {
    if (!this.#isAwaited) this.over();
  }

  /** The request was answered or never will be. */
  over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#give(this.#bytes);
  }
}
