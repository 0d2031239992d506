/**
 * What earlier records demand of a record: the history that an intent reports, and the execution that a hop belongs to.
 */
import type { ActorSnapshot, TypedRecord } from "@femtoclaw/protocol";
import { corrupt, type OpenExecution } from "./execution-records.ts";
import { SESSIONS, stateOf } from "./holders.ts";
import { SessionHistories, type SessionsState, type TimelessFacts } from "./session-histories.ts";

/** Logs of versions that knew no histories have none in their snapshots, and nothing to check. */
export function storedHistories(actors: Readonly<Record<string, ActorSnapshot>>): SessionHistories {
  if (actors["sessions"] === undefined) return new SessionHistories();
  return new SessionHistories(stateOf(actors, "sessions", SESSIONS) as SessionsState);
}

/**
 * INVARIANT: I5: the history that a permitted call was decided on must be the one that the earlier records give, so
 * nothing else can have permitted the call. This cannot be checked if the facts are kept beside the record, or for
 * sessions of versions that had no histories.
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
  // Times come from the writer's clock, and nothing here can check them.
  const folded = histories.timelessFacts(session, actor?.principal ?? "");
  for (const name in folded) {
    const told = history[name as keyof TimelessFacts];
    const value = folded[name as keyof TimelessFacts];
    if (told !== value) throw corrupt(record, `it was decided on ${name} = ${told} where records say ${value}`);
  }
}

/** A hop changes nothing: its execution remains at its effect. */
export function requireRunning(
  record: TypedRecord & { type: "execution.hop" },
  known: OpenExecution | undefined,
): void {
  const { body, boot, session } = record;
  if (known?.intent === body.intent && known.session === session && known.boot === boot) return;
  throw corrupt(record, `no execution of record ${body.intent} runs that could go on to anywhere`);
}
