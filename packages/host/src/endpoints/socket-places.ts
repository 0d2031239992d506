/**
 * Who of the clients of one socket has a place. A place is kept for as long as its connection, and no number of connections
 * takes it away. Whoever comes when all places are taken has one of a few for newcomers, which they pass on to each other.
 */
import { LIMITS } from "@femtoclaw/protocol";

/** LIMIT: time that a newcomer has, in milliseconds, before it may have to leave for the next one: enough for a call. */
const NEWCOMER_MS = 2_000;

export class SocketPlaces<Client extends { readonly hasAsked: boolean }> {
  /** In the order in which they came. */
  readonly #kept = new Set<Client>();
  /** Those that have none of the places that are kept, and since when, in the order in which they came. */
  readonly #newcomers = new Map<Client, number>();
  readonly #now: () => number;
  readonly #onLeave: (client: Client) => void;

  constructor(onLeave: (client: Client) => void, now: () => number = () => performance.now()) {
    this.#onLeave = onLeave;
    this.#now = now;
  }

  /**
   * INVARIANT: I9: whoever holds connections keeps nobody out, whatever it asks on them. One that never asked for anything
   * leaves first, the one that was silent longest; then the newcomer that was there longest, once it had its time.
   */
  hasRoom(): boolean {
    if (this.#kept.size + this.#newcomers.size < LIMITS.socketConnections + LIMITS.socketNewcomers) return true;
    const leaving = [...this.#kept].find(({ hasAsked }) => !hasAsked) ?? this.#oldestNewcomer();
    if (leaving === undefined) return false;
    this.remove(leaving);
    this.#onLeave(leaving);
    return true;
  }

  add(client: Client): void {
    this.#newcomers.set(client, this.#now());
    this.#moveUp();
  }

  /** It is gone, or has to go; the newcomer that was there longest keeps its place from now on. */
  remove(client: Client): void {
    if (this.#kept.delete(client)) this.#moveUp();
    else this.#newcomers.delete(client);
  }

  #moveUp(): void {
    if (this.#kept.size >= LIMITS.socketConnections) return;
    const [first] = this.#newcomers.keys();
    if (first === undefined) return;
    this.#newcomers.delete(first);
    this.#kept.add(first);
  }

  #oldestNewcomer(): Client | undefined {
    const [first] = this.#newcomers;
    return first !== undefined && this.#now() - first[1] >= NEWCOMER_MS ? first[0] : undefined;
  }
}
