/** What every rule of the tables has, whatever it is about: its mood, what people are told, and its text. */
import { type PolicyParts, policyText } from "./cedar-text.ts";

/** One Cedar policy and what people need to know about it. */
export interface CompiledRule {
  readonly id: string;
  readonly text: string;
  /** Where the operator wrote it; null for the floor. */
  readonly source: string | null;
  /** What it does, in plain words; for people, never for the model. */
  readonly reason: string;
  readonly fix?: string;
  /** How many operators must say yes to a call that this rule speaks of; absent on a rule that asks nobody. */
  readonly approvers?: number;
}

/** An action set without a member yields no rule: Cedar rejects a policy that could never apply. */
export function rule(parts: PolicyParts, about: Omit<CompiledRule, "text">): CompiledRule[] {
  return parts.actions.length === 0 ? [] : [{ ...about, text: policyText(parts) }];
}

/** What an entry does: two forbid and two permit, the middle ones until and after an operator says yes. */
export type Mood = "forbid" | "ask" | "granted" | "permit";

const VERDICT: Readonly<Record<Mood, string>> = {
  forbid: "is forbidden",
  ask: "needs the yes of an operator",
  granted: "is allowed once an operator has said yes",
  permit: "is allowed",
};

export const forbids = (mood: Mood): boolean => mood === "forbid" || mood === "ask";
const asks = (mood: Mood): boolean => mood === "ask" || mood === "granted";

/** What a rule adds to its reason that is in force only once a history fact is true. */
const AFTER = {
  has_read_secret: " once a secret may have been read",
  has_seen_untrusted: " once untrusted content may have been read",
} as const;

const TAKE_AWAY = "take the entry away or narrow it";

/** Which agent an entry is about, if not everybody, how many operators it asks, if it asks, and from when on it is in force. */
export interface Terms {
  readonly principal?: string;
  readonly approvers?: number;
  /** The history fact that has to be true; from the beginning without it. */
  readonly onceTrue?: keyof typeof AFTER;
}

/** One entry of a table, as its rules are told of. */
export interface Entry {
  readonly id: string;
  readonly source: string;
  /** What the entry speaks of, such as "reading /srv and everything below it". */
  readonly doing: string;
}

/** The rule of an entry: `parts` is what it is about, and its mood and terms say the rest. */
export function entryRule(
  mood: Mood,
  { principal, approvers = 1, onceTrue }: Terms,
  parts: Pick<PolicyParts, "actions" | "resource" | "clause">,
  { id, source, doing }: Entry,
): CompiledRule[] {
  return rule(
    {
      effect: forbids(mood) ? "forbid" : "permit",
      ...(asks(mood) ? { approval: approvers } : {}),
      ...(principal === undefined ? {} : { principal }),
      ...parts,
    },
    {
      id: mood === "granted" ? `${id}/granted` : id,
      source,
      reason: `${doing} ${VERDICT[mood]}${onceTrue === undefined ? "" : AFTER[onceTrue]}`,
      ...(mood === "forbid" ? { fix: TAKE_AWAY } : {}),
      ...(asks(mood) ? { approvers } : {}),
    },
  );
}

/** What has to be true of the session for an entry of these terms. */
export function onceConditions({ onceTrue }: Terms): string[] {
  return onceTrue === undefined ? [] : [`context.session.${onceTrue}`];
}

/** All of the conditions; nothing where there are none. */
export function when(conditions: readonly string[]): Pick<PolicyParts, "clause"> {
  return conditions.length === 0 ? {} : { clause: { kind: "when", condition: conditions.join(" && ") } };
}

/** Entries with their keys, and their numbers among those of the same key: so their rules are named. */
export function numbered<T>(
  entries: readonly T[],
  keyOf: (entry: T) => string,
): readonly { readonly entry: T; readonly key: string; readonly number: number }[] {
  const counts = new Map<string, number>();
  return entries.map((entry) => {
    const key = encodeURIComponent(keyOf(entry));
    const number = (counts.get(key) ?? 0) + 1;
    counts.set(key, number);
    return { entry, key, number };
  });
}
