/** What every rule of the tables has, whatever it is about: its mood, its explanation for people, and its text. */
import { type PolicyParts, policyText } from "./cedar-text.ts";

/** One Cedar policy and what people need to know about it. */
export interface CompiledRule {
  readonly id: string;
  readonly text: string;
  /** Where the operator wrote the rule; null for the floor. */
  readonly source: string | null;
  /** What the rule does, in plain words; for people, never for the model. */
  readonly reason: string;
  readonly fix?: string;
  /** How many operators must say yes to a call that this rule covers; absent if the rule asks nobody. */
  readonly approvers?: number;
}

/** Without actions there is no rule: Cedar rejects a policy that could never apply. */
export function rule(parts: PolicyParts, about: Omit<CompiledRule, "text">): CompiledRule[] {
  return parts.actions.length === 0 ? [] : [{ ...about, text: policyText(parts) }];
}

/** What an entry does. Two moods forbid and two permit; the middle two do so until and after an operator says yes. */
export type Mood = "forbid" | "ask" | "granted" | "permit";

const VERDICT: Readonly<Record<Mood, string>> = {
  forbid: "is forbidden",
  ask: "needs the yes of an operator",
  granted: "is allowed once an operator has said yes",
  permit: "is allowed",
};

export const forbids = (mood: Mood): boolean => mood === "forbid" || mood === "ask";
const asks = (mood: Mood): boolean => mood === "ask" || mood === "granted";

/** What is added to the reason of a rule that is in force only once a history fact is true. */
const AFTER = {
  has_read_secret: " once a secret may have been read",
  has_seen_untrusted: " once untrusted content may have been read",
} as const;

const TAKE_AWAY = "take the entry away or narrow it";

/**
 * Which agent an entry is about, if it is not about everybody; how many operators it asks, if it asks; and from when on
 * it is in force.
 */
export interface Terms {
  readonly principal?: string;
  readonly approvers?: number;
  /** The history fact that must be true; absent if the entry is in force from the beginning. */
  readonly onceTrue?: keyof typeof AFTER;
}

/** One entry of a table, as its rules describe it. */
export interface Entry {
  readonly id: string;
  readonly source: string;
  /** What the entry is about, such as "reading /srv and everything below it". */
  readonly doing: string;
}

/** The rule of an entry. `parts` says what it is about, mood and terms say the rest. */
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

/** What must be true of the session for an entry with these terms to apply. */
export function onceConditions({ onceTrue }: Terms): string[] {
  return onceTrue === undefined ? [] : [`context.session.${onceTrue}`];
}

/** Joins all conditions into a clause; without conditions there is none. */
export function when(conditions: readonly string[]): Pick<PolicyParts, "clause"> {
  return conditions.length === 0 ? {} : { clause: { kind: "when", condition: conditions.join(" && ") } };
}

/** Entries with their keys, numbered among those with the same key. Their rules are named by both. */
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
