/**
 * History as policies see it: `context.session` and `context.time` of every action. Both come from the facts that the
 * call's record holds, never from a clock, so that a decision can be made again.
 */
import type { HistoryFacts } from "@femtoclaw/protocol";

/** What a session did, in terms of the Cedar schema: the history's facts without their time. */
export const SESSION = {
  calls: "Long",
  bytes: "Long",
  failures: "Long",
  refusals: "Long",
  seconds: "Long",
  has_read_secret: "Bool",
  has_seen_untrusted: "Bool",
} as const satisfies Record<keyof Omit<HistoryFacts, "at">, "Long" | "Bool">;

/** Attributes of the Cedar context that every action has, in addition to those of its resource. */
export const HISTORY_CONTEXT: Readonly<Record<string, string>> = { session: "Session", time: "datetime" };

/** The history of a session that has not begun, for questions about no session in particular. */
export const NO_HISTORY: HistoryFacts = {
  at: "1970-01-01T00:00:00Z",
  calls: 0,
  bytes: 0,
  failures: 0,
  refusals: 0,
  seconds: 0,
  has_read_secret: false,
  has_seen_untrusted: false,
};

type HistoryContext =
  | { readonly ok: true; readonly attributes: { readonly session: unknown; readonly time: unknown } }
  | { readonly ok: false; readonly fault: string };

const SESSION_FACTS = Object.entries(SESSION);

const SECOND = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;

// INVARIANT: I3: a history that is not complete is no history: the call is denied, not decided as if nothing had
// happened.
/** What a session did before, as the context of a decision. */
export function historyContext(history: HistoryFacts | null | undefined): HistoryContext {
  const facts = Object(history) as Readonly<Record<string, unknown>>;
  const session: Record<string, unknown> = {};
  for (const [name, type] of SESSION_FACTS) {
    const value = facts[name];
    const fits = type === "Bool" ? typeof value === "boolean" : Number.isSafeInteger(value) && (value as number) >= 0;
    if (!fits) return fault(`\`${name}\` is no ${type === "Bool" ? "truth value" : "count"}`);
    session[name] = value;
  }
  const { at } = facts;
  if (typeof at !== "string" || !SECOND.test(at)) return fault("`at` is no time in whole seconds");
  // Built here from a text of a fixed form. Nothing that a proposer sends becomes a value of the engine's own types.
  return { ok: true, attributes: { session, time: { __extn: { fn: "datetime", arg: at } } } };
}

function fault(what: string): HistoryContext {
  return { ok: false, fault: `the history of the session is not whole: ${what}` };
}
