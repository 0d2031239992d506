/**
 * What changes for a session beside its calls: what is offered to it, and resources that it is subscribed to. The
 * session is told only that something changed, never what it is now. It finds that out by calls, which are decided.
 */
import type { Clock } from "@femtoclaw/journal";
import {
  FemtoError,
  LIMITS,
  requireCount,
  requireFields,
  type SessionId,
  WAIT_MS_MAX,
  type WatchedChanges,
} from "@femtoclaw/protocol";
import { WaitingReaders } from "../waiting-readers.ts";

/** LIMIT: readers of one session that wait at once. */
const READERS = 16;
/**
 * Milliseconds for which changes are gathered, so that those that come together are reported together, however many
 * there are.
 */
const GATHER_MS = 100;

/** From when on changes are wanted, and how long to wait if there are none. */
export interface ChangesRequest {
  /** `next` of the last answer. A client without one passes null, and is told where to begin. */
  readonly from: number | null;
  readonly waitMs: number;
}

interface Change {
  readonly at: number;
  readonly server: string;
  readonly uri: string;
  /** Why the subscription is over; null if the resource changed. */
  readonly reason: string | null;
}

interface Feed {
  /** By resource, so that one that changes all the time takes a single place. */
  readonly changes: Map<string, Change>;
  readonly readers: WaitingReaders;
}

export class Changes {
  readonly #clock: Pick<Clock, "after">;
  readonly #feeds = new Map<SessionId, Feed>();
  #at = 1;
  #offeredAt = 1;
  #isStopped = false;

  constructor(clock: Pick<Clock, "after">) {
    this.#clock = clock;
  }

  /** Says that the offer may have changed for everybody. */
  offered(): void {
    this.#at += 1;
    this.#offeredAt = this.#at;
    for (const { readers } of this.#feeds.values()) readers.wake();
  }

  /** Says that a resource changed or, with a reason, that its subscription is over. */
  told(session: SessionId, server: string, uri: string, reason: string | null): void {
    this.#at += 1;
    const feed = this.#feedOf(session);
    const key = `${server} ${uri}`;
    feed.changes.delete(key);
    feed.changes.set(key, { at: this.#at, server, uri, reason });
    // INVARIANT: I9: a session that does not ask is not waited for: the oldest changes are dropped.
    const [oldest] = feed.changes.keys();
    if (feed.changes.size > 2 * LIMITS.subscriptionsPerSession && oldest !== undefined) feed.changes.delete(oldest);
    feed.readers.wake();
  }

  /** Waits if nothing has changed. Throws FEMTO_OVERLOADED if too many wait, and FEMTO_DRAINING. */
  async watch(session: SessionId, request: ChangesRequest): Promise<WatchedChanges> {
    requireFields("a request for changes", request);
    const { from, waitMs } = request;
    if (from !== null) requireCount("from", from);
    requireCount("waitMs", waitMs, WAIT_MS_MAX);
    const start = from ?? this.#at;
    const now = this.#look(session, start);
    if (from === null || now.offered || now.updated.length + now.ended.length > 0 || waitMs === 0) return now;
    const feed = this.#feedOf(session);
    if (feed.readers.count >= READERS) {
      throw new FemtoError("FEMTO_OVERLOADED", `${READERS} readers wait for changes already`);
    }
    await feed.readers.more(waitMs);
    return this.#look(session, start);
  }

  /** Forgets a session that is over; its waiting readers are told that nothing changed. */
  forget(session: SessionId): void {
    const feed = this.#feeds.get(session);
    this.#feeds.delete(session);
    feed?.readers.wake();
  }

  stop(): void {
    this.#isStopped = true;
    for (const { readers } of this.#feeds.values()) readers.wake();
  }

  #look(session: SessionId, from: number): WatchedChanges {
    if (this.#isStopped) throw new FemtoError("FEMTO_DRAINING", "the host stops, and tells of no more changes");
    const all = [...(this.#feeds.get(session)?.changes.values() ?? [])].filter(({ at }) => at > from);
    const updated = all.flatMap(({ server, uri, reason }) => (reason === null ? [{ server, uri }] : []));
    const ended = all.flatMap(({ server, uri, reason }) => (reason === null ? [] : [{ server, uri, reason }]));
    return { next: this.#at, offered: this.#offeredAt > from, updated, ended };
  }

  #feedOf(session: SessionId): Feed {
    const feed = this.#feeds.get(session) ?? {
      changes: new Map(),
      readers: new WaitingReaders(this.#clock, GATHER_MS),
    };
    this.#feeds.set(session, feed);
    return feed;
  }
}
