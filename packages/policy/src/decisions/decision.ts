/** Interprets the engine's answer: something is permitted only if the engine says so without any error. */
import type { AuthorizationAnswer, DetailedError } from "@cedar-policy/cedar-wasm/web";
import { BUDGET_RULES, printable } from "@femtoclaw/protocol";

/** Why something was denied. Each is an error code of the reply. */
type DenialCode =
  | "FEMTO_POLICY_NO_PERMIT"
  | "FEMTO_POLICY_FORBIDDEN"
  | "FEMTO_BUDGET_EXCEEDED"
  | "FEMTO_POLICY_ERROR"
  | "FEMTO_POLICY_ENGINE_FAILED";

/** A use that is not permitted. */
export interface Denial {
  readonly allowed: false;
  readonly code: DenialCode;
  /** Sorted identifiers of the rules that decided; empty if nothing permitted the use. */
  readonly rules: readonly string[];
  /** For the model: it names forbidding rules, and never the contents of an allow list. */
  readonly reason: string;
}

/** A use that would be permitted if operators said yes. */
export interface Question {
  readonly allowed: false;
  readonly code: "FEMTO_APPROVAL_REQUIRED";
  /** Sorted identifiers of the rules that ask. */
  readonly rules: readonly string[];
  /** How many operators have to say yes; at least one. */
  readonly approvers: number;
  readonly reason: string;
}

/** The engine's verdict on one call. */
export type Decision = { readonly allowed: true; readonly rules: readonly string[] } | Denial | Question;

export type Verdict =
  | { readonly decision: Exclude<Decision, Question>; readonly fault: null }
  /** The engine could not decide; the fault is for the operator's log. */
  | { readonly decision: Denial; readonly fault: string };

export function verdictOf(answer: AuthorizationAnswer, capability: string): Verdict {
  if (answer.type !== "success") return undecided(capability, messages(answer.errors));
  const { decision, diagnostics } = answer.response;
  // INVARIANT: the engine skips a rule that errs, and that rule may be a forbid. So any error denies.
  if (diagnostics.errors.length > 0) {
    const ids = diagnostics.errors.map(({ policyId }) => policyId);
    return undecided(capability, messages(diagnostics.errors.map(({ error }) => error)), ids);
  }
  // The engine lists rules in hash table order; records need a fixed order.
  const rules = [...diagnostics.reason].sort();
  if (decision === "allow" && rules.length > 0) return { decision: { allowed: true, rules }, fault: null };
  if (decision !== "deny") return undecided(capability, "the engine gave an unknown answer");
  return { decision: rules.length > 0 ? forbidden(capability, rules) : unpermitted(capability), fault: null };
}

export function undecided(capability: string, fault: string, rules: readonly string[] = []): Verdict {
  return {
    decision: {
      allowed: false,
      code: "FEMTO_POLICY_ERROR",
      rules: [...rules].sort(),
      reason: `the policy could not decide on this use of ${printable(capability)}, so it is denied`,
    },
    fault,
  };
}

/** The engine itself failed, and the record of the denial says so. If only a rule is wrong, `undecided` is used. */
export function engineFailed(capability: string, fault: string): Verdict {
  const reason = `the decision engine failed on this use of ${printable(capability)}, so it is denied`;
  return { decision: { allowed: false, code: "FEMTO_POLICY_ENGINE_FAILED", rules: [], reason }, fault };
}

export function question(capability: string, rules: readonly string[], approvers: number): Question {
  const subject = rules.length === 1 ? `the rule ${rules[0]} asks` : `the rules ${rules.join(", ")} ask`;
  const reason = `${subject} an operator before this use of ${printable(capability)}`;
  return { allowed: false, code: "FEMTO_APPROVAL_REQUIRED", rules, approvers, reason };
}

function forbidden(capability: string, rules: readonly string[]): Denial {
  const budgets = rules.filter((rule) => BUDGETS.has(rule));
  if (budgets.length > 0) return overBudget(capability, rules, budgets);
  const subject = rules.length === 1 ? `the rule ${rules[0]} forbids` : `the rules ${rules.join(", ")} forbid`;
  return {
    allowed: false,
    code: "FEMTO_POLICY_FORBIDDEN",
    rules,
    reason: `${subject} this use of ${printable(capability)}; other uses of it may be permitted`,
  };
}

const BUDGETS: ReadonlySet<string> = new Set(Object.values(BUDGET_RULES));

/** A used-up budget ends the whole session, so it is reported before rules that forbid only this use. */
function overBudget(capability: string, rules: readonly string[], budgets: readonly string[]): Denial {
  const reason = `the session has used up ${budgets.join(" and ")}, so this use of ${printable(capability)} is denied`;
  return { allowed: false, code: "FEMTO_BUDGET_EXCEEDED", rules, reason };
}

function unpermitted(capability: string): Denial {
  return {
    allowed: false,
    code: "FEMTO_POLICY_NO_PERMIT",
    rules: [],
    reason: `no rule permits this use of ${printable(capability)}; other uses of it may be permitted`,
  };
}

/**
 * The denial as the model sees it. The reason of a built-in rule holds everywhere and reveals nothing about the
 * operator's tables. The reasons of the operator's own rules stay with the operator.
 */
export function toldReason({ reason, rules }: Denial | Question, builtIn: ReadonlyMap<string, string>): string {
  const said = rules.flatMap((id) => builtIn.get(id) ?? []);
  return said.length === 0 ? reason : `${reason}; the rule says: ${said.join("; ")}`;
}

/** The engine's findings in one line. */
export function messages(errors: readonly DetailedError[]): string {
  return errors.map(({ message }) => printable(message, 500)).join("; ");
}
