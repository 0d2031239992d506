/** What one record adds to the metrics. A pure function of the record and of what earlier records named. */
import { ERRORS, type TypedRecord } from "@femtoclaw/protocol";
import type { FoldedMetric } from "./catalogue.ts";

export type Change =
  | { readonly metric: FoldedMetric; readonly labels: readonly string[]; readonly add: number }
  | { readonly metric: FoldedMetric; readonly labels: readonly string[]; readonly observeUs: number };

export interface Known {
  /** The label for a tool: its name if a capability of that name is registered. */
  tool(name: string | null): string;
  /** The tool of an open intent, by its sequence number. */
  intent(seq: number): string | null;
  /** The version of the previous boot; null if there was none. */
  readonly version: string | null;
}

const add = (metric: FoldedMetric, labels: readonly string[] = [], amount = 1): Change => {
  return { metric, labels, add: amount };
};

export function changesOf(record: TypedRecord, known: Known): readonly Change[] {
  return [add("records", [record.type]), ...lifeChanges(record, known), ...callChanges(record, known)];
}

function lifeChanges(record: TypedRecord, known: Known): readonly Change[] {
  switch (record.type) {
    case "boot.started": {
      const { previous_end, version } = record.body;
      const upgraded = known.version !== null && known.version !== version;
      return [add("boots", [previous_end]), ...(upgraded ? [add("upgrades")] : [])];
    }
    case "lifecycle.changed": {
      const { fault } = record.body;
      return fault === undefined ? [] : [add("faults")];
    }
    case "supervision.crashed":
      return [add("crashes", [record.body.subsystem])];
    case "supervision.restarted":
      return [add("restarts", [record.body.subsystem])];
    case "policy.activated":
      return [add("policies")];
    case "policy.rejected":
      return [add("policyRejections", [errorLabel(record.body.code)])];
    case "observability.started":
    case "observability.changed":
      return record.body.state === "degraded" ? [add("degradations")] : [];
    case "session.opened":
      return [add("sessions", [record.actor?.channel ?? "none"])];
    case "session.halted":
      return [add("halts", [HALTED_BY[record.body.code] ?? "refusals"])];
    case "terminal.opened":
      return [add("terminals")];
    default:
      return [];
  }
}

function callChanges(record: TypedRecord, known: Known): readonly Change[] {
  switch (record.type) {
    case "message.recorded":
      return [add("messages")];
    case "overload.refused":
      return [add("unrecorded", [errorLabel(record.body.code)], record.body.count)];
    case "execution.refused":
      return refusal(record, known);
    case "approval.asked":
      return [add("approvalsAsked", [known.tool(record.body.tool)])];
    case "approval.answered":
      return [add("approvalsAnswered", [record.body.answer])];
    case "execution.intent": {
      const { tool, received_us, approval } = record.body;
      if (approval !== undefined) return [];
      return [{ metric: "queueDuration", labels: [known.tool(tool)], observeUs: span(record.mono_us - received_us) }];
    }
    case "execution.hop":
      return [add("hops", [record.body.allowed ? "allowed" : "denied"])];
    case "execution.outcome": {
      const { intent, duration_us, error } = record.body;
      const tool = known.tool(known.intent(intent));
      const status = error === undefined ? "completed" : "error";
      return [
        add("executions", [tool, status, "AUTHORIZED"]),
        { metric: "toolDuration", labels: [tool, status], observeUs: span(duration_us) },
        ...(error === undefined ? [] : [add("failures", [tool, errorLabel(error.code)])]),
      ];
    }
    case "execution.interrupted":
      return [add("executions", [known.tool(record.body.tool), "interrupted", "AUTHORIZED"])];
    default:
      return [];
  }
}

function refusal(record: TypedRecord & { type: "execution.refused" }, known: Known): readonly Change[] {
  const { tool, decision, event, error, rules } = record.body;
  const isDenied = decision?.startsWith("DENIED_") === true;
  return [
    add("executions", [known.tool(tool), isDenied ? "denied" : "error", decision ?? "none"]),
    ...(isDenied ? [add("denials", [ruleKind(rules), errorLabel(error.code)])] : []),
    ...(event === "expired" ? [add("approvalsExpired")] : []),
  ];
}

/** INVARIANT: an error code unknown to this version, such as an embedder's, gets no label of its own. */
function errorLabel(code: string): string {
  return Object.hasOwn(ERRORS, code) ? code : "other";
}

/** By the code in `session.halted`. Any other code is that of the last of too many refusals. */
const HALTED_BY: Readonly<Record<string, string>> = {
  FEMTO_SESSION_HALTED: "operator",
  FEMTO_BUDGET_EXCEEDED: "budget",
};

/** Kinds of rules, by the beginning of their identifiers; the rest may name agents and files, and so is no label. */
const RULE_KINDS: readonly (readonly [start: string, kind: string])[] = [
  ["floor/", "floor"],
  ["toml/agent.", "agent"],
  ["toml/allow.", "allow"],
  ["toml/ask.", "ask"],
  ["toml/deny.", "deny"],
  ["toml/after_", "after"],
  ["budget/", "budget"],
  ["file/", "file"],
  ["tools/", "tools"],
];

function ruleKind([rule]: readonly string[]): string {
  if (rule === undefined) return "none";
  return RULE_KINDS.find(([start]) => rule.startsWith(start))?.[1] ?? "other";
}

/**
 * A difference on the monotonic clock, which does not go back within a boot; if a record says otherwise, it counts as
 * 0.
 */
function span(us: number): number {
  return Math.max(0, us);
}
