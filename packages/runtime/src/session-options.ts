/** Who opens a session and who proposes in it, held to what their options are where no types are. */
import { type NamesOf, requireKnownNames } from "./known-names.ts";
import type { ProposeOptions, SessionOptions } from "./session.ts";

const SESSION_OPTIONS: NamesOf<SessionOptions> = { channel: true, label: true, principal: true };
const CHANNELS: readonly unknown[] = ["library", "agent", "operator"] satisfies SessionOptions["channel"][];

/** INVARIANT: I5: what a record says of a session is what the record's schema has; nobody could read another one back. */
export function requireSessionOptions(options: SessionOptions): void {
  requireKnownNames("openSession", options, SESSION_OPTIONS);
  if (!CHANNELS.includes(options.channel)) throw new TypeError(`a channel is one of ${CHANNELS.join(", ")}`);
}

const PROPOSE_OPTIONS: NamesOf<ProposeOptions> = {
  ...{ label: true, trace: true, signal: true, wishes: true, onIdentified: true, launch: true },
};

/** INVARIANT: I9: what is no option is refused before the call holds a place that nobody would give back. */
export function requireProposeOptions(options: ProposeOptions): void {
  requireKnownNames("propose", options, PROPOSE_OPTIONS);
  const { signal, wishes } = options;
  if (signal !== undefined && typeof Object(signal).addEventListener !== "function") {
    throw new TypeError("`signal` is no AbortSignal; an AbortController has one as `signal`");
  }
  if (wishes !== undefined && Object(wishes) !== wishes) throw new TypeError("`wishes` is no object");
}
