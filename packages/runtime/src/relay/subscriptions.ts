/**
 * Resources that sessions are subscribed to. Each subscription is a lease: it lasts while its opening, which was
 * decided like reading the resource, would still be permitted, its session is there, and its server runs and offers the
 * resource.
 */
import type { SubscriptionRequest } from "@femtoclaw/capabilities";
import type { Clock, JournalEntry } from "@femtoclaw/journal";
import { FemtoError, LIMITS, printable, type SessionId, type SubscriptionEndedBody } from "@femtoclaw/protocol";
import { type Execution, openingOf } from "../gate/execution.ts";
import type { Problem } from "../gate/verdict.ts";
import type { Changes } from "./changes.ts";

type Why = SubscriptionEndedBody["why"];

/** Gets news of one resource from its server. */
export interface SubscriptionListener {
  updated(): void;
  /** Called when the server will say nothing more about the resource. */
  ended(reason: string): void;
}

export interface SubscriptionsParts {
  readonly clock: Clock;
  readonly changes: Pick<Changes, "told">;
  /** Asks the server; the returned function ends the subscription there. Throws the server's objection. */
  listen(request: SubscriptionRequest, listener: SubscriptionListener): Promise<() => void>;
  append(entry: JournalEntry): Promise<unknown>;
  isOpen(session: SessionId): boolean;
  halted(session: SessionId): Problem | null;
  forbidden(opening: Execution): string | null;
  isEnabled(tool: string): boolean;
  /** Whether the server still offers, as it was accepted, what the resource belongs to. */
  isOffered(request: SubscriptionRequest): boolean;
}

interface Lease {
  readonly request: SubscriptionRequest;
  readonly opening: Execution;
  updates: number;
  /** Why the server says nothing more about the resource; null while it may. */
  gone: string | null;
  /** Ends the subscription at the server. */
  close(): void;
}

interface Ending {
  readonly why: Why;
  readonly reason: string;
}

export class Subscriptions {
  readonly #parts: SubscriptionsParts;
  readonly #leases = new Map<string, Lease>();
  /** Sessions of the subscriptions that are being opened. */
  readonly #opening: SessionId[] = [];
  #cancelReview: (() => void) | null = null;
  #stopped: Ending | null = null;

  constructor(parts: SubscriptionsParts) {
    this.#parts = parts;
  }

  /**
   * Throws FEMTO_SUBSCRIPTION_LIMIT, or the server's objection. A new subscription replaces an older one of the session
   * to the same resource.
   */
  async open(execution: Execution, request: SubscriptionRequest): Promise<void> {
    const opening = openingOf(execution);
    const { session } = opening;
    const key = keyOf(session, request.server, request.uri);
    if (!this.#leases.has(key)) this.#requirePlace(session);
    this.#opening.push(session);
    try {
      const listener = { updated: () => this.#updated(lease), ended: (reason: string) => this.#gone(lease, reason) };
      const lease: Lease = { request, opening, updates: 0, gone: null, close: () => undefined };
      lease.close = await this.#parts.listen(request, listener);
      const before = this.#leases.get(key);
      if (before !== undefined) this.#end(before, { why: "replaced", reason: "its session subscribed anew" });
      this.#leases.set(key, lease);
      // While the server was asked, anything may have changed.
      const ending = this.#endingOf(lease);
      if (ending === null) return this.#reviewLater();
      this.#end(lease, ending);
      throw new FemtoError("FEMTO_CAPABILITY_CANCELLED", `the subscription was ended at once: ${ending.reason}`);
    } finally {
      this.#opening.splice(this.#opening.indexOf(session), 1);
    }
  }

  /**
   * False if the session is not subscribed to the resource. INVARIANT: I8: nobody ends another session's subscription.
   */
  close(session: SessionId, server: string, uri: string): boolean {
    const lease = this.#leases.get(keyOf(session, server, uri));
    if (lease === undefined) return false;
    this.#end(lease, { why: "closed", reason: "its session ended it" });
    return true;
  }

  review(): void {
    for (const lease of [...this.#leases.values()]) {
      const ending = this.#endingOf(lease);
      if (ending !== null) this.#end(lease, ending);
    }
  }

  endSession(session: SessionId): void {
    const own = [...this.#leases.values()].filter(({ opening }) => opening.session === session);
    for (const lease of own) this.#end(lease, { why: "session", reason: "its session ended" });
  }

  stop(reason: string): void {
    this.#stopped ??= { why: "stopped", reason };
    this.review();
    this.#cancelReview?.();
    this.#cancelReview = null;
  }

  // INVARIANT: I9: the number of subscriptions is limited, those being opened included.
  #requirePlace(session: SessionId): void {
    const own = [...this.#leases.values()].filter(({ opening }) => opening.session === session).length;
    const opening = this.#opening.filter((one) => one === session).length;
    if (own + opening >= LIMITS.subscriptionsPerSession) {
      const reason = `this session is subscribed to ${LIMITS.subscriptionsPerSession} resources, which is the limit`;
      throw new FemtoError("FEMTO_SUBSCRIPTION_LIMIT", reason);
    }
    if (this.#leases.size + this.#opening.length >= LIMITS.subscriptions) {
      const reason = `all sessions together are subscribed to ${LIMITS.subscriptions} resources, which is the limit`;
      throw new FemtoError("FEMTO_SUBSCRIPTION_LIMIT", reason);
    }
  }

  /** INVARIANT: I3: nothing is reported about a resource that could not be read now. */
  #updated(lease: Lease): void {
    if (this.#leases.get(keyFor(lease)) !== lease) return;
    const ending = this.#endingOf(lease);
    if (ending !== null) return this.#end(lease, ending);
    lease.updates += 1;
    this.#parts.changes.told(lease.opening.session, lease.request.server, lease.request.uri, null);
  }

  #gone(lease: Lease, reason: string): void {
    // It may end while its opening is still under way, which then finds the reason here.
    lease.gone = reason;
    if (this.#leases.get(keyFor(lease)) === lease) this.#end(lease, { why: "server", reason });
  }

  #endingOf({ opening, request, gone }: Lease): Ending | null {
    if (this.#stopped !== null) return this.#stopped;
    if (gone !== null) return { why: "server", reason: gone };
    const { session, call } = opening;
    if (!this.#parts.isOpen(session)) return { why: "session", reason: "its session ended" };
    const halted = this.#parts.halted(session);
    if (halted !== null) return { why: "halted", reason: halted.reason };
    if (!this.#parts.isEnabled(call?.tool ?? "")) return { why: "policy", reason: "its capability was disabled" };
    if (!this.#parts.isOffered(request)) return { why: "server", reason: "its server does not offer it any more" };
    const forbidden = this.#parts.forbidden(opening);
    return forbidden === null ? null : { why: "policy", reason: forbidden };
  }

  #end(lease: Lease, { why, reason }: Ending): void {
    this.#leases.delete(keyFor(lease));
    lease.close();
    const { opening, request, updates } = lease;
    const { session, actor, id } = opening;
    const { server, uri } = request;
    const told = printable(reason, LIMITS.reasonChars);
    // A session that ended the subscription itself, or is gone, need not be told.
    if (!["replaced", "closed", "session"].includes(why)) this.#parts.changes.told(session, server, uri, told);
    const body = { server, uri, opened: id, why, reason: told, updates };
    // A journal that has failed or closed reports that itself.
    this.#parts.append({ type: "subscription.ended", actor, session, execution: null, body }).catch(() => undefined);
  }

  #reviewLater(): void {
    this.#cancelReview ??= this.#parts.clock.after(
      LIMITS.terminalReviewMs,
      () => {
        this.#cancelReview = null;
        this.review();
        if (this.#leases.size > 0) this.#reviewLater();
      },
      { unref: true },
    );
  }
}

function keyFor({ opening, request }: Lease): string {
  return keyOf(opening.session, request.server, request.uri);
}

function keyOf(session: SessionId, server: string, uri: string): string {
  return `${session} ${server} ${uri}`;
}
