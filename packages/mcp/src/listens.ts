/**
 * Clients of the 2026 era name the resources that they are subscribed to in a request that stays open. Each is decided
 * before that request goes on, and what is refused is taken out of it, so that the answer says what is told and what not.
 */
import { isJSONRPCRequest, type JSONRPCMessage } from "@modelcontextprotocol/server";

/** Stays open as long as its client listens; no answer is owed to it. */
export const LISTEN = "subscriptions/listen";

/** LIMIT: resources that one such request names; more are left out of it. */
const URIS_MAX = 64;

export interface Admitted {
  readonly message: JSONRPCMessage;
  /** Nobody listens any more. */
  release(): void;
}

interface Subscriber {
  /** Whether its client is subscribed to it now. */
  subscribe(uri: string): Promise<boolean>;
  unsubscribe(uri: string): Promise<void>;
}

export class Listens {
  readonly #subscriber: Subscriber;
  /** How many requests name each. */
  readonly #named = new Map<string, number>();

  constructor(subscriber: Subscriber) {
    this.#subscriber = subscriber;
  }

  /** What is no such request passes as it is. Never throws. */
  async admit(message: JSONRPCMessage): Promise<Admitted> {
    const filter = isJSONRPCRequest(message) && message.method === LISTEN ? filterOf(message.params) : null;
    const asked = filter?.["resourceSubscriptions"];
    if (filter === null || !Array.isArray(asked)) return { message, release: () => undefined };
    const uris = [...new Set(asked.filter((uri) => typeof uri === "string"))].slice(0, URIS_MAX);
    const permitted = await Promise.all(uris.map(async (uri) => ((await this.#name(uri)) ? [uri] : [])));
    const resourceSubscriptions = permitted.flat();
    const params = { ...Object(message).params, notifications: { ...filter, resourceSubscriptions } };
    let isReleased = false;
    const release = (): void => {
      if (isReleased) return;
      isReleased = true;
      for (const uri of uris) this.#forget(uri);
    };
    return { message: { ...message, params } as JSONRPCMessage, release };
  }

  /** Each request is decided anew: what an earlier one was permitted may be over. */
  async #name(uri: string): Promise<boolean> {
    this.#named.set(uri, (this.#named.get(uri) ?? 0) + 1);
    return await this.#subscriber.subscribe(uri).catch(() => false);
  }

  #forget(uri: string): void {
    const left = (this.#named.get(uri) ?? 0) - 1;
    if (left > 0) return void this.#named.set(uri, left);
    this.#named.delete(uri);
    void this.#subscriber.unsubscribe(uri);
  }
}

function filterOf(params: unknown): Record<string, unknown> | null {
  const notifications: unknown = Object(params).notifications;
  return typeof notifications === "object" && notifications !== null
    ? (notifications as Record<string, unknown>)
    : null;
}
