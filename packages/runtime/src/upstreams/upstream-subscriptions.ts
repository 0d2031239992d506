/** Subscribed resources of one running MCP server. However many sessions subscribe to one, the server is asked once. */
import type { UpstreamSession } from "@femtoclaw/capabilities";
import { errorText, LIMITS, printable } from "@femtoclaw/protocol";
import type { SubscriptionListener } from "../relay/subscriptions.ts";

interface Watched {
  readonly listeners: Set<SubscriptionListener>;
  /** Resolves once the server has agreed. */
  readonly agreed: Promise<void>;
  readonly abort: AbortController;
}

export class UpstreamSubscriptions {
  readonly #session: UpstreamSession;
  readonly #watched = new Map<string, Watched>();

  constructor(session: UpstreamSession) {
    this.#session = session;
  }

  /** The returned function ends the subscription. Throws the server's objection, or the reason of the signal. */
  async add(uri: string, listener: SubscriptionListener): Promise<() => void> {
    const watched = this.#watched.get(uri) ?? this.#begin(uri);
    watched.listeners.add(listener);
    const remove = (): void => this.#remove(uri, watched, listener);
    try {
      await watched.agreed;
      return remove;
    } catch (error) {
      remove();
      throw error;
    }
  }

  /** INVARIANT: whatever a server says about a resource that nobody is subscribed to is ignored. */
  updated(uri: unknown): void {
    const watched = typeof uri === "string" ? this.#watched.get(uri) : undefined;
    for (const listener of [...(watched?.listeners ?? [])]) listener.updated();
  }

  /** To be called when the server is gone. */
  ended(reason: string): void {
    for (const [uri, watched] of [...this.#watched]) this.#gone(uri, watched, reason);
  }

  #begin(uri: string): Watched {
    const abort = new AbortController();
    const agreed = this.#session.subscribe(uri, abort.signal, {
      updated: () => this.updated(uri),
      ended: (error) => this.#gone(uri, watched, printable(errorText(error), LIMITS.reasonChars)),
    });
    const watched: Watched = { listeners: new Set(), agreed, abort };
    this.#watched.set(uri, watched);
    return watched;
  }

  #remove(uri: string, watched: Watched, listener: SubscriptionListener): void {
    watched.listeners.delete(listener);
    if (watched.listeners.size > 0 || this.#watched.get(uri) !== watched) return;
    this.#watched.delete(uri);
    watched.abort.abort();
  }

  #gone(uri: string, watched: Watched, reason: string): void {
    if (this.#watched.get(uri) !== watched) return;
    this.#watched.delete(uri);
    watched.abort.abort();
    for (const listener of [...watched.listeners]) listener.ended(reason);
  }
}
