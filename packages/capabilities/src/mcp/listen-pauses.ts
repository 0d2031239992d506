/** How long to wait before listening again to a server that ended the stream of its notifications. */

/** The pause after a stream that ended soon; it doubles with each such stream. */
const PAUSE_MS = 1_000;
const PAUSE_MS_MAX = 60_000;
/**
 * A stream that lasted this long was no failure: many servers end each stream after some time. INVARIANT: I9: so a server
 * is asked at most once in eleven seconds, whatever it does.
 */
const LASTING_MS = 10_000;

export class ListenPauses {
  #nextMs = PAUSE_MS;

  /** Milliseconds to wait after a stream that lasted for so many. */
  after(lastedMs: number): number {
    if (lastedMs >= LASTING_MS) this.#nextMs = PAUSE_MS;
    const pauseMs = this.#nextMs;
    this.#nextMs = Math.min(2 * pauseMs, PAUSE_MS_MAX);
    return pauseMs;
  }
}
