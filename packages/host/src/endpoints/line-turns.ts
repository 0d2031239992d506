/**
 * How the connections of one socket share what is read in one turn of the event loop. A line takes as long as it is long,
 * and hundreds of connections that each send a megabyte would otherwise have the loop for seconds, in which nobody else is
 * answered, an operator at the other socket neither.
 */

/** LIMIT: bytes of lines that are taken up in one turn of the loop, of all connections together; a single line may be longer. */
const TURN_BYTES = 131_072;

type GoOn = () => void;

export class LineTurns {
  /** Connections with a line for which this turn had no room, the one that waits longest first. */
  readonly #waiting = new Set<GoOn>();
  #taken = 0;
  #isTurning = false;
  /** Lines that the connection that is called just now may still take; null while none is called. */
  #left: number | null = null;

  /** Whether a line of so many bytes may be taken up now; else `goOn` is called when it may. */
  take(bytes: number, goOn: GoOn): boolean {
    this.#turnLater();
    const isNext = this.#left === null ? this.#waiting.size === 0 : this.#left > 0;
    if (!isNext || (this.#taken > 0 && this.#taken + bytes > TURN_BYTES)) {
      this.#waiting.add(goOn);
      return false;
    }
    this.#taken += bytes;
    if (this.#left !== null) this.#left -= 1;
    return true;
  }

  /** A connection that is gone waits for nothing. */
  forget(goOn: GoOn): void {
    this.#waiting.delete(goOn);
  }

  #turnLater(): void {
    if (this.#isTurning) return;
    this.#isTurning = true;
    setImmediate(() => this.#turn());
  }

  // INVARIANT: I9: who waits longest is next, and takes one line before the others have theirs.
  #turn(): void {
    this.#isTurning = false;
    this.#taken = 0;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const goOn of waiting) {
      this.#left = 1;
      goOn();
    }
    this.#left = null;
    if (this.#waiting.size > 0) this.#turnLater();
  }
}
