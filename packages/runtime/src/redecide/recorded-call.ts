/** A call as its record has it: what was decided on, and what was decided. Pure. */
import type { DecisionRequest } from "@femtoclaw/policy";
import type { Facts, TypedRecord } from "@femtoclaw/protocol";

/** What a policy says of a call. `undecidable` is no answer: nothing is guessed. */
export interface Judgement {
  readonly kind: "allowed" | "asks" | "denied" | "undecidable";
  /** The error code of a denial or a question; null otherwise. */
  readonly code: string | null;
  readonly rules: readonly string[];
  /** Why it cannot be decided; null otherwise. */
  readonly obstacle: string | null;
}

export interface RecordedCall {
  readonly seq: number;
  readonly at: string;
  readonly execution: string;
  readonly session: string | null;
  readonly principal: string;
  readonly tool: string;
  /** Null where they cannot be decided on again. */
  readonly facts: Facts | null;
  readonly revision: string | null;
  /** Whether it was decided after operators had said yes. */
  readonly approved: boolean;
  readonly verdict: Judgement;
  /** Why there are no facts; null where there are. */
  readonly obstacle: string | null;
}

type DecidedRecord = TypedRecord & { readonly type: "execution.intent" | "execution.refused" };

/** Whether the record says what was decided about a call: each call has one such record at the most. */
export function isDecided(record: TypedRecord): record is DecidedRecord {
  return record.type === "execution.intent" || record.type === "execution.refused";
}

/** Null for what never came to be decided: it was malformed, unknown, disabled or could not be examined. */
export function recordedCall(record: DecidedRecord): RecordedCall | null {
  const { seq, at, execution, session, actor, body } = record;
  const verdict = verdictOf(record);
  if (verdict === null || body.tool === null || execution === null || actor === null) return null;
  const obstacle = obstacleOf(record);
  return {
    ...{ seq, at, execution, session, principal: actor.principal, tool: body.tool, revision: body.revision },
    ...{ facts: obstacle === null ? body.facts : null, verdict, obstacle },
    approved: Object.hasOwn(body, "approval"),
  };
}

function verdictOf(record: DecidedRecord): Judgement | null {
  const { rules, revision } = record.body;
  const allowed: Judgement = { kind: "allowed", code: null, rules, obstacle: null };
  if (record.type === "execution.intent") return allowed;
  const { event, error } = record.body;
  if (event === "denied") return notAllowed(error.code, rules);
  // What was stopped between its decision and its intent had been permitted.
  return (event === "halted" || event === "cancelled") && revision !== null ? allowed : null;
}

/** Who asked for what, as the policy was asked about it; the questions of the facts come besides. */
export function askerOf({ principal, tool, approved }: RecordedCall): Omit<DecisionRequest, "question"> {
  return { principal, capability: tool, approved };
}

/** A question is no denial: it would be permitted if operators said yes. */
export function notAllowed(code: string, rules: readonly string[]): Judgement {
  return { kind: code === "FEMTO_APPROVAL_REQUIRED" ? "asks" : "denied", code, rules, obstacle: null };
}

function obstacleOf({ body, commitments, redactions }: DecidedRecord): string | null {
  if (redactions?.some(({ path }) => path === "/facts" || path.startsWith("/facts/")) === true) {
    return "a secret was taken out of its facts";
  }
  if (body.facts !== null) return null;
  const isBeside = commitments?.some(({ path }) => path === "/facts") === true;
  return isBeside ? "its facts stood beside the record and are not there any more" : "the record has no facts";
}
