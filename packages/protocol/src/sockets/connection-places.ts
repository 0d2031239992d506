/**
 * Decides which connections a local server keeps. Any user of the machine can connect to a port of the loopback, so
 * connections on which nobody has shown yet that the server is meant for them must not keep others out.
 */

/** What is needed of a socket. */
export interface HeldConnection {
  once(event: "close", listener: () => void): unknown;
  destroy(): unknown;
}

interface PlaceCounts {
  /** LIMIT: connections on which the server's secret was shown. */
  readonly known: number;
  /** LIMIT: all other connections. */
  readonly strangers: number;
}

export class ConnectionPlaces {
  readonly #counts: PlaceCounts;
  readonly #known = new Set<HeldConnection>();
  /** In the order in which they came. */
  readonly #strangers = new Set<HeldConnection>();

  constructor(counts: PlaceCounts) {
    this.#counts = counts;
  }

  /**
   * INVARIANT: I9: a newcomer always gets a place: if all are taken, the stranger that came first loses its own. Nobody
   * keeps others out by holding connections, and a connection that is known is never closed for a newcomer.
   */
  readonly take = (connection: HeldConnection): void => {
    this.#strangers.add(connection);
    connection.once("close", () => {
      this.#strangers.delete(connection);
      this.#known.delete(connection);
    });
    if (this.#strangers.size <= this.#counts.strangers) return;
    const [first] = this.#strangers;
    if (first === undefined) return;
    // It is gone at once, although its event comes later: several may come in between.
    this.#strangers.delete(first);
    first.destroy();
  };

  /** The secret was shown on this connection. Beyond the limit of known ones, it stays a stranger. */
  know(connection: HeldConnection): void {
    if (this.#known.size < this.#counts.known && this.#strangers.delete(connection)) this.#known.add(connection);
  }
}
