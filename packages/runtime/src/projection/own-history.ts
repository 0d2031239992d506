/** Holds the history that an intent was decided on to the records before it. */
import type { TypedRecord } from "@femtoclaw/protocol";
import { corrupt } from "./execution-records.ts";
import type { SessionHistories } from "./session-histories.ts";

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
