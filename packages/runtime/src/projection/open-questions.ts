/** Calls that wait for operators, according to the records: what was asked, and who has said yes so far. */
import { answerFault, parseOperatorKey } from "@femtoclaw/journal/live";
import type { ApprovalAuthority, TypedRecord } from "@femtoclaw/protocol";
import { corrupt } from "./execution-records.ts";
import type { ExecutionPoint } from "./execution-table.ts";

export interface OpenQuestion {
  /** The record that asks. */
  readonly seq: number;
  readonly tool: string;
  readonly session: string | null;
  readonly digest: string;
  readonly approvers: number;
  /** Operators who have said yes: the key of one who signed, else the name. */
  readonly granted: readonly string[];
  /**
   * The state awaiting an answer, or on the way from the answer to the next record, because the host may end between
   * the two.
   */
  readonly at: ExecutionPoint;
}

const NOBODY: readonly string[] = [];

type Asked = TypedRecord & { readonly type: "approval.asked" };
type Answered = TypedRecord & { readonly type: "approval.answered" };

export function askedBy({ seq, session, body }: Asked, at: ExecutionPoint): OpenQuestion {
  const { tool, digest, approvers } = body;
  return { seq, tool, session, digest, approvers, granted: NOBODY, at };
}

// INVARIANT: I8: an answer is to the very question that is open, by an operator who has not said yes to it before. It
// settles the question only if it is a no or the last yes that is needed.
export function answeredBy(
  record: Answered,
  question: OpenQuestion,
  at: ExecutionPoint,
  authority: ApprovalAuthority | undefined,
): OpenQuestion {
  const { body, actor, session } = record;
  if (body.question !== question.seq || body.digest !== question.digest || body.tool !== question.tool) {
    throw corrupt(record, `the question of its execution is record ${question.seq}`);
  }
  if (session !== question.session) throw corrupt(record, `its question is of session ${question.session}`);
  if (actor?.channel !== "operator") throw corrupt(record, "nobody but an operator answers");
  const fault = answerFault(record);
  if (fault !== null) throw corrupt(record, fault);
  if (authority !== undefined) requireStanding(record, question, authority);
  const by = body.key ?? actor.principal;
  // An operator who has said yes may still say no, and a no is final.
  if (body.answer === "granted" && question.granted.includes(by))
    throw corrupt(record, `${actor.principal} has said yes already`);
  const granted = body.answer === "granted" ? [...question.granted, by] : question.granted;
  const complete = body.answer === "refused" || granted.length >= question.approvers;
  if (complete !== body.complete) throw corrupt(record, `${granted.length} of ${question.approvers} have said yes`);
  return { ...question, granted, at };
}

/** INVARIANT: I8: an answer counts in the log only if the host would have taken it: signed where it had to be, by an operator. */
function requireStanding(
  record: Answered,
  { approvers }: OpenQuestion,
  { operators, operator_key: needsKey }: ApprovalAuthority,
): void {
  const { key, answer } = record.body;
  if (key !== undefined) {
    if (!operators.includes(key))
      throw corrupt(record, "its answer is signed by nobody who is an operator in its boot");
  } else if (needsKey || (answer === "granted" && approvers > 1)) {
    throw corrupt(record, "its answer is not signed, and had to be");
  }
}

// INVARIANT: I8: a yes counts as long as its key is in force; an unsigned one counts if it would be accepted now.
/**
 * The questions as they stand in a boot with these operators. Boots of versions that knew no operators do not name any.
 */
export function questionsUnder(
  authority: ApprovalAuthority | undefined,
  questions: Map<string, OpenQuestion>,
): Map<string, OpenQuestion> {
  if (authority === undefined) return questions;
  const { operators, operator_key } = authority;
  const under = (question: OpenQuestion): OpenQuestion => {
    const needsKey = operator_key || question.approvers > 1;
    const counts = (by: string): boolean => operators.includes(by) || (!needsKey && parseOperatorKey(by) === null);
    return { ...question, granted: question.granted.filter(counts) };
  };
  return new Map([...questions].map(([id, question]) => [id, under(question)]));
}

/** A record that follows a question must name it, and no other record may. */
export function requireOwnQuestion(
  record: TypedRecord & { readonly type: "execution.refused" | "execution.intent" },
  question: OpenQuestion | undefined,
): void {
  const { approval, tool } = record.body;
  if (question === undefined) {
    // A permit may rely on an earlier answer; a refusal ends only its own question.
    if (approval !== undefined && (record.type === "execution.refused" || approval >= record.seq))
      throw corrupt(record, "its execution has no open question");
    return;
  }
  if (approval !== question.seq || tool !== question.tool || record.session !== question.session) {
    throw corrupt(record, `the question of its execution is record ${question.seq}`);
  }
}
