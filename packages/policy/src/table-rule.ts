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

export const VERDICT: Readonly<Record<Mood, string>> = {
  forbid: "is forbidden",
  ask: "needs the yes of an operator",
  granted: "is allowed once an operator has said yes",
  permit: "is allowed",
};

export const forbids = (mood: Mood): boolean => mood === "forbid" || mood === "ask";
const asks = (mood: Mood): boolean => mood === "ask" || mood === "granted";

/** Which agent the rules of a table are about, if not everybody, and how many operators they ask, if they ask. */
export interface Whose {
  readonly principal?: string;
  readonly approvers?: number;
}

/** What every rule of an entry says beside its scope and its condition. */
export function moodParts(
  mood: Mood,
  { principal, approvers = 1 }: Whose,
): Pick<PolicyParts, "effect" | "approval" | "principal"> {
  return {
    effect: forbids(mood) ? "forbid" : "permit",
    ...(asks(mood) ? { approval: approvers } : {}),
    ...(principal === undefined ? {} : { principal }),
  };
}

export function moodAbout(mood: Mood, { approvers = 1 }: Whose): Pick<CompiledRule, "fix" | "approvers"> {
  return { ...(mood === "forbid" ? { fix: TAKE_AWAY } : {}), ...(asks(mood) ? { approvers } : {}) };
}

const TAKE_AWAY = "take the entry away or narrow it";

/** What a rule adds to its reason that is in force only once a history fact is true. */
export const AFTER = {
  has_read_secret: " once a secret may have been read",
  has_seen_untrusted: " once untrusted content may have been read",
} as const;
