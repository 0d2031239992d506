/** Translates what happened to an execution into what its proposer is told: status, decision, error. Pure. */
import { redact } from "@femtoclaw/journal/live";
import {
  type DecisionCode,
  ERRORS,
  type ErrorCode,
  type ExecutionStatus,
  LIMITS,
  printable,
  type Reply,
  type ReplyError,
} from "@femtoclaw/protocol";

export interface Problem {
  readonly code: ErrorCode;
  readonly reason: string;
  /** What the reader can do next, if that is more specific than the advice of the error code. */
  readonly fix?: string;
}

/** What the proposer is told for each machine event that ends an execution. */
const VERDICTS = {
  message: { status: "completed", decision: null },
  invalid: { status: "error", decision: null },
  unknown: { status: "denied", decision: "DENIED_CAPABILITY_NOT_FOUND" },
  disabled: { status: "denied", decision: "DENIED_CAPABILITY_DISABLED" },
  argumentsInvalid: { status: "denied", decision: "DENIED_ARGUMENT_INVALID" },
  factsFailed: { status: "denied", decision: "DENIED_ARGUMENT_INVALID" },
  denied: { status: "denied", decision: "DENIED_POLICY_VIOLATION" },
  refused: { status: "denied", decision: "DENIED_POLICY_VIOLATION" },
  expired: { status: "denied", decision: "DENIED_POLICY_VIOLATION" },
  halted: { status: "error", decision: "AUTHORIZED" },
  succeeded: { status: "completed", decision: "AUTHORIZED" },
  failed: { status: "error", decision: "AUTHORIZED" },
  timedOut: { status: "error", decision: "AUTHORIZED" },
  cancelled: { status: "error", decision: "AUTHORIZED" },
  contained: { status: "error", decision: "AUTHORIZED" },
} as const satisfies Record<string, { status: ExecutionStatus; decision: DecisionCode }>;

export type EndingEvent = keyof typeof VERDICTS;

export function verdictOf(event: EndingEvent): { readonly status: ExecutionStatus; readonly decision: DecisionCode } {
  return VERDICTS[event];
}

export function replyError(problem: Problem, timestamp: string, capability?: string): ReplyError {
  const { type, fix } = ERRORS[problem.code];
  return {
    error_type: type,
    code: problem.code,
    // Reasons quote proposals and capabilities, so they are capped and made printable here.
    reason: cut(problem.reason),
    fix: cut(problem.fix ?? fix),
    ...(capability === undefined ? {} : { capability }),
    timestamp,
  };
}

/**
 * The error as it is told once its record has a number: advice that names a command about the record then has the
 * number. Records hold the advice without it.
 */
export function toldError(error: ReplyError, seq: number): ReplyError {
  return { ...error, fix: error.fix.replace("`femtoclaw policy why RECORD`", `\`femtoclaw policy why ${seq}\``) };
}

/** INVARIANT: I10: half of a secret would not be recognized as one, so secrets are taken out before the cut. */
function cut(text: string): string {
  return printable(text.length > LIMITS.reasonChars ? redact(text).value : text, LIMITS.reasonChars);
}

/** The answer to a call that never entered the gate; such calls have no records of their own. */
export function unrecordedReply(executionId: string, error: ReplyError): Reply {
  return { execution_id: executionId, status: "error", decision: null, error, record: null };
}
