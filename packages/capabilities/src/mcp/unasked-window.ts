/** Counts what a server sends beside the answers that it owes, within ten seconds. */
import { LIMITS } from "@femtoclaw/protocol";

const WINDOW_MS = 10_000;
/** LIMIT: bytes from a server within that time; as many as the largest messages of several calls. */
const WINDOW_BYTES = 268_435_456;

/** Bytes for which an unasked message counts as one more. One that is as large as a result takes its time to parse. */
const MESSAGE_BYTES = 8_192;

/** As how many messages a message of so many bytes counts. */
export function messagesIn(bytes: number): number {
  return 1 + Math.floor(bytes / MESSAGE_BYTES);
}

/** INVARIANT: I9: a server that floods its client is ended, even if it sends nothing meaningful. */
export class UnaskedWindow {
  #messages = 0;
  #bytes = 0;
  #beganMs = 0;

  /** Counts what arrived. Returns why the server has to be ended, or null. */
  count({ messages = 0, bytes = 0 }: { readonly messages?: number; readonly bytes?: number }): string | null {
    const nowMs = performance.now();
    if (nowMs - this.#beganMs > WINDOW_MS) {
      this.#beganMs = nowMs;
      this.#messages = 0;
      this.#bytes = 0;
    }
    this.#messages += messages;
    this.#bytes += bytes;
    if (this.#bytes > WINDOW_BYTES) return `it sent more than ${WINDOW_BYTES} bytes within ten seconds`;
    if (this.#messages <= LIMITS.upstreamUnasked) return null;
    return `it sent more than ${LIMITS.upstreamUnasked} messages that nobody asked for`;
  }
}
