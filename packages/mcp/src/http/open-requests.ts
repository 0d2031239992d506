/**
 * What was asked over HTTP and has no answer yet, of all clients together, who all showed the same token. In number and in
 * bytes it has the bounds that one client has over a pair of streams.
 */
import { REQUEST_BYTES_MAX, REQUESTS_MAX } from "../overload.ts";

export class OpenRequests {
  #count = 0;
  #bytes = 0;

  /** Null where there are too many. */
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

  /** False where its bytes would be too many with those of the others; then none of these are counted. */
  take(bytes: number): boolean {
    if (this.#isOver || !this.#take(bytes)) return false;
    this.#bytes += bytes;
    return true;
  }

  /** INVARIANT: I9: a call that goes on without its client counts until it is answered, however often its client comes again. */
  awaitAnswer(): void {
    this.#isAwaited = true;
  }

  /** Its connection has ended. */
  left(): void {
    if (!this.#isAwaited) this.over();
  }

  /** It was answered, or will not be. */
  over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#give(this.#bytes);
  }
}
