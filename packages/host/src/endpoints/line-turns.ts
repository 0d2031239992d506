/**
 * How the connections of one socket share a turn of the event loop. The longer a line is, the longer it takes. Hundreds
 * of connections that each send a megabyte would otherwise occupy the loop for seconds, in which nobody else is
 * answered, not even an operator at the other socket.
 */

/**
 * LIMIT: bytes of lines of one kind that are taken up in one turn of the loop, from all connections together. A single
 * line may be longer.
 */
const TURN_BYTES = 131_072;
/**
 * LIMIT: bytes of a short line, which does not wait for longer ones. An ordinary call has fewer, and eight such lines
 * fill a turn.
 */
const SHORT_BYTES = 16_384;

type GoOn = () => void;

/** Lines of one kind, short or long. They wait only for each other. */
interface Lane {
  /** Connections with a line for which this turn had no room, the one that waits longest first. */
  readonly waiting: Set<GoOn>;
  /** Connections that had a line in this turn and have another one, which comes after all that have waited longer. */
  readonly served: Set<GoOn>;
  /** Bytes that were taken up in this turn. */
  taken: number;
}

export class LineTurns {
  // INVARIANT: I9: long lines, on however many connections, do not keep a short one waiting until all of them are done.
  readonly #short: Lane = { waiting: new Set(), served: new Set(), taken: 0 };
  readonly #long: Lane = { waiting: new Set(), served: new Set(), taken: 0 };
  #isTurning = false;
  /** How many more lines the connection whose turn it is may take; null while it is nobody's turn. */
  #left: number | null = null;

  /** Whether a line of so many bytes may be taken up now. If not, `goOn` is called when it may. */
  take(bytes: number, goOn: GoOn): boolean {
    this.#turnLater();
    const lane = bytes > SHORT_BYTES ? this.#long : this.#short;
    const isNext = this.#left === null ? lane.waiting.size === 0 : this.#left > 0;
    if (!isNext || (lane.taken > 0 && lane.taken + bytes > TURN_BYTES)) {
      (this.#left === 0 ? lane.served : lane.waiting).add(goOn);
      return false;
    }
    lane.taken += bytes;
    if (this.#left !== null) this.#left -= 1;
    return true;
  }

  /** Forgets a connection that is gone. */
  forget(goOn: GoOn): void {
    for (const { waiting, served } of this.#lanes()) {
      waiting.delete(goOn);
      served.delete(goOn);
    }
  }

  #turnLater(): void {
    if (this.#isTurning) return;
    this.#isTurning = true;
    setImmediate(() => this.#turn());
  }

  // INVARIANT: I9: the connection that has waited longest is next, and takes only one line before the others have
  // theirs.
  #turn(): void {
    this.#isTurning = false;
    const waiting = this.#lanes().flatMap((lane) => {
      const those = [...lane.waiting];
      lane.waiting.clear();
      lane.taken = 0;
      return those;
    });
    for (const goOn of waiting) {
      this.#left = 1;
      goOn();
    }
    this.#left = null;
    for (const { waiting, served } of this.#lanes()) {
      for (const goOn of served) waiting.add(goOn);
      served.clear();
    }
    if (this.#lanes().some((lane) => lane.waiting.size > 0)) this.#turnLater();
  }

  #lanes(): readonly Lane[] {
    return [this.#short, this.#long];
  }
}
