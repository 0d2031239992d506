/** Everything that MCP servers send to their callers besides answers, as the gate uses it. */

import type { SessionId } from "@femtoclaw/protocol";
import type { Upstreams } from "../upstreams/upstreams.ts";
import type { Changes } from "./changes.ts";
import { Relays, type RelaysParts } from "./relays.ts";
import { Subscriptions, type SubscriptionsParts } from "./subscriptions.ts";

export interface OpenRelay {
  readonly relays: Relays;
  readonly subscriptions: Subscriptions;
  readonly changes: Changes;
  /** Ends everything that a session began, once the session is over. */
  endSession(session: SessionId): void;
  /** Ends what would not be permitted now, and says that the offer may have changed. */
  review(): void;
  stop(reason: string): void;
}

type OpenRelayParts = Omit<SubscriptionsParts, "changes" | "listen" | "isEnabled" | "isOffered"> &
  Pick<RelaysParts, "outputs" | "newId"> & { readonly changes: Changes; readonly upstreams: Upstreams };

export function openRelay({ upstreams, outputs, ...parts }: OpenRelayParts): OpenRelay {
  const { changes, clock } = parts;
  const subscriptions = new Subscriptions({
    ...parts,
    listen: (request, listener) => upstreams.listen(request, listener),
    isEnabled: (tool) => upstreams.registered(tool)?.enabled === true,
    isOffered: (request) => upstreams.isOffered(request),
  });
  const relays = new Relays({
    clock,
    outputs,
    newId: parts.newId,
    isOpen: parts.isOpen,
    append: parts.append,
    subscribe: (opening, request) => subscriptions.open(opening, request),
  });
  return {
    relays,
    subscriptions,
    changes,
    endSession: (session) => {
      subscriptions.endSession(session);
      changes.forget(session);
      relays.forget(session);
    },
    review: () => {
      subscriptions.review();
      changes.offered();
    },
    stop: (reason) => {
      subscriptions.stop(reason);
      changes.stop();
    },
  };
}
