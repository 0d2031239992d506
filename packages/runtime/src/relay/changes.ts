/**
 * What changed for a session beside its calls: what is offered to it, and resources that it is subscribed to. It is told
 * that something changed and never what to; what is there now it finds out by calls, which are decided.
 */
import type { Clock } from "@femtoclaw/journal";
import { FemtoError, LIMITS, type SessionId, type WatchedChanges } from "@femtoclaw/protocol";
import { WaitingReaders } from "../waiting-readers.ts";

/** LIMIT: readers of one session that wait at once. */
const READERS = 16;
/** Changes that come at once are told at once, however many there are. */
const GATHER_MS = 100;

/** From when on changes are wanted, and how long to wait where there are none. */
export interface ChangesRequest {
  /** As the last answer said; null for who has none, who is told from when to ask on. */
  readonly from: number | null;
  readonly waitMs: number;
}

interface Change {
  readonly at: number;
  readonly server: string;
  readonly uri: string;
  /** Why it is over; null where the resource changed. */
  readonly reason: string | null;
}

interface Feed {
  /** By the resource, so that one that changes all the time takes one place. */
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

  /** What is offered may be something else for everybody. */
  offered(): void {
    this.#at += 1;
    this.#offeredAt = this.#at;
    for (const { readers } of this.#feeds.values()) readers.wake();
  }

  /** A resource changed, or with a reason: nothing more is said of it. */
  told(session: SessionId, server: string, uri: string, reason: string | null): void {
    this.#at += 1;
    const feed = this.#feedOf(session);
    const key = `${server} ${uri}`;
    feed.changes.delete(key);
    feed.changes.set(key, { at: this.#at, server, uri, reason });
    // INVARIANT: I9: who does not ask is not waited for: what is oldest is told no more.
    const [oldest] = feed.changes.keys();
    if (feed.changes.size > 2 * LIMITS.subscriptionsPerSession && oldest !== undefined) feed.changes.delete(oldest);
    feed.readers.wake();
  }

  /** Waits where nothing has changed. Throws FEMTO_OVERLOADED where too many wait, and FEMTO_DRAINING. */
  async watch(session: SessionId, { from, waitMs }: ChangesRequest): Promise<WatchedChanges> {
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

  /** The session is over; who waits in it is told that nothing came. */
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
