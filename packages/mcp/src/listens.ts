/**
 * Clients of the 2026 era list their resource subscriptions in a request that stays open. Each resource is decided
 * before that request is passed on, and refused ones are removed from it, so that the acknowledgement tells what the
 * client is subscribed to.
 */
import { isJSONRPCRequest, type JSONRPCMessage } from "@modelcontextprotocol/server";

/** A request of this method stays open as long as its client listens, and needs no answer. */
export const LISTEN = "subscriptions/listen";

/** LIMIT: resources in one such request; further ones are removed. */
const URIS_MAX = 64;

export interface Admitted {
  readonly message: JSONRPCMessage;
  /** Called when the client does not listen any more. */
  release(): void;
}

interface Subscriber {
  /** Resolves with whether the client is now subscribed. */
  subscribe(uri: string): Promise<boolean>;
  unsubscribe(uri: string): Promise<void>;
}

export class Listens {
  readonly #subscriber: Subscriber;
  /** How many requests name each resource. */
  readonly #named = new Map<string, number>();

  constructor(subscriber: Subscriber) {
    this.#subscriber = subscriber;
  }

  /** Passes any other message unchanged. Never throws. */
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

  /** Each request is decided anew, because an earlier permission may have ended. */
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
