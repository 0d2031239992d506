/**
 * How the connections of one socket share what is read in one turn of the event loop. A line takes as long as it is long,
 * and hundreds of connections that each send a megabyte would otherwise have the loop for seconds, in which nobody else is
 * answered, an operator at the other socket neither.
 */

/** LIMIT: bytes of lines that are taken up in one turn of the loop, of all connections together; a single line may be longer. */
const TURN_BYTES = 131_072;
/** LIMIT: bytes of a line that waits for no longer ones: an ordinary call has fewer, and eight of these fill a turn. */
const SHORT_BYTES = 16_384;

type GoOn = () => void;

/** Lines of one kind, which wait for each other alone. */
interface Lane {
  /** Connections with a line for which this turn had no room, the one that waits longest first. */
  readonly waiting: Set<GoOn>;
  /** Those that had a line in this turn and have another one, which is behind all that have waited for longer. */
  readonly served: Set<GoOn>;
  /** Bytes that were taken up in this turn. */
  taken: number;
}

export class LineTurns {
  // INVARIANT: I9: whoever sends long lines, on however many connections, keeps no short one waiting for all of them.
  readonly #short: Lane = { waiting: new Set(), served: new Set(), taken: 0 };
  readonly #long: Lane = { waiting: new Set(), served: new Set(), taken: 0 };
  #isTurning = false;
  /** Lines that the connection that is called just now may still take; null while none is called. */
  #left: number | null = null;

  /** Whether a line of so many bytes may be taken up now; else `goOn` is called when it may. */
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

  /** A connection that is gone waits for nothing. */
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

  // INVARIANT: I9: who waits longest is next, and takes one line before the others have theirs.
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
