/**
 * Decides which clients of one socket have a place. A client that uses its place keeps it for as long as it is
 * connected, whatever the number of other connections. When all places are taken, newcomers get one of a few extra
 * places, which they pass on to each other.
 */
import { LIMITS } from "@femtoclaw/protocol";

/** LIMIT: milliseconds that a newcomer has before it may have to leave for the next one; enough for a call. */
const NEWCOMER_MS = 2_000;

export class SocketPlaces<Client extends { readonly hasAsked: boolean }> {
  /** Clients that keep their place, in the order in which they came. */
  readonly #kept = new Set<Client>();
  /** Clients on the extra places, and since when, in the order in which they came. */
  readonly #newcomers = new Map<Client, number>();
  readonly #now: () => number;
  readonly #onLeave: (client: Client) => void;

  constructor(onLeave: (client: Client) => void, now: () => number = () => performance.now()) {
    this.#onLeave = onLeave;
    this.#now = now;
  }

  /**
   * INVARIANT: I9: no client keeps others out by holding connections, whatever it asks on them. To make room, a client
   * that never asked for anything leaves first, the one that was silent longest; then the newcomer that was there
   * longest, once it had its time.
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

  /** Removes a client that is gone or has to go. The newcomer that was there longest keeps that place from now on. */
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
