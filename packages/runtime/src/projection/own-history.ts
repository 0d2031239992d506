/** What records before hold a record to: the history that an intent tells, and the execution that a hop belongs to. */
import type { ActorSnapshot, TypedRecord } from "@femtoclaw/protocol";
import { corrupt, type OpenExecution } from "./execution-records.ts";
import { SESSIONS, stateOf } from "./holders.ts";
import { SessionHistories, type SessionsState, type TimelessFacts } from "./session-histories.ts";

/** The logs of versions that knew no histories have none in their snapshots, and none to hold. */
export function storedHistories(actors: Readonly<Record<string, ActorSnapshot>>): SessionHistories {
  if (actors["sessions"] === undefined) return new SessionHistories();
  return new SessionHistories(stateOf(actors, "sessions", SESSIONS) as SessionsState);
}

/**
 * INVARIANT: I5: the history that a permitted call was decided on is the one that the records before it tell, so nothing
 * else can have permitted it. It is not checked where the facts are kept beside the record, and not for sessions of
 * versions that had no histories.
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
  // Times are told by the clock of the writer, and nothing here can hold them to more than that.
  const folded = histories.timelessFacts(session, actor?.principal ?? "");
  for (const name in folded) {
    const told = history[name as keyof TimelessFacts];
    const value = folded[name as keyof TimelessFacts];
    if (told !== value) throw corrupt(record, `it was decided on ${name} = ${told} where records say ${value}`);
  }
}

/** A hop changes nothing: its execution stays where it is, at its effect. */
export function requireRunning(
  record: TypedRecord & { type: "execution.hop" },
  known: OpenExecution | undefined,
): void {
  const { body, boot, session } = record;
  if (known?.intent === body.intent && known.session === session && known.boot === boot) return;
  throw corrupt(record, `no execution of record ${body.intent} runs that could go on to anywhere`);
}
