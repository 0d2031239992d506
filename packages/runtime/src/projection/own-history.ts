/** Histories as snapshots hold them, and as intents tell them, which the records before hold them to. */
import type { ActorSnapshot, TypedRecord } from "@femtoclaw/protocol";
import { corrupt } from "./execution-records.ts";
import { SESSIONS, stateOf } from "./holders.ts";
import { SessionHistories, type SessionsState } from "./session-histories.ts";

/** The logs of versions that knew no histories have none in their snapshots, and none to hold. */
export function storedHistories(actors: Readonly<Record<string, ActorSnapshot>>): SessionHistories {
  if (actors["sessions"] === undefined) return new SessionHistories();
  return new SessionHistories(stateOf(actors, "sessions", SESSIONS) as SessionsState);
}

/**
 * INVARIANT: I5: what a permitted call was decided on is what the records before it say, so nothing else can
 * have permitted it. Facts that stand beside their record are left to whoever has them, and a session of a
 * version that knew no histories has none.
 */
export function requireOwnHistory(
  record: TypedRecord & { readonly type: "execution.intent" },
  histories: SessionHistories,
): void {
  const { session, actor, body } = record;
  const known = session === null ? undefined : histories.of(session);
  if (session === null || known === undefined || body.facts === null) return;
  const { history } = body.facts;
  if (known.halted !== null) throw corrupt(record, `its session was halted by record ${known.halted.seq}`);
  if (history === undefined) throw corrupt(record, "it tells no history of its session");
  const { at: _at, seconds: _seconds, ...folded } = histories.facts(session, actor?.principal ?? "", EPOCH);
  for (const [name, value] of Object.entries(folded)) {
    const told = history[name as keyof typeof folded];
    if (told !== value) throw corrupt(record, `it was decided on ${name} = ${told} where records say ${value}`);
  }
}

/** Times are told by the clock of the writer, and nothing here can hold them to more than that. */
const EPOCH = { nowUs: 0, monotonicUs: 0 };
