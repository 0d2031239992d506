/** Answers of operators: what a signed answer says, why an answer may not count, and when a signature is required. */
import { hash } from "node:crypto";
import { openAnswer, operatorPrincipal, parseOperatorKey, type SignedAnswer } from "@femtoclaw/journal/live";
import { type ApprovalCard, FemtoError, printable, requireFields, requireText } from "@femtoclaw/protocol";
import type { ApprovalSettings } from "../../configuration/resolved-configuration.ts";

/** An operator's answer to one question. */
export interface Answer {
  /** Identifier of the approval. */
  readonly id: string;
  readonly answer: "granted" | "refused";
  /** Digest of the question as the operator saw it. */
  readonly digest: string;
  /** Whether a yes also counts for the very same call of the same session later. */
  readonly scope: "once" | "session";
  /** The operator's own words; recorded. */
  readonly reason?: string;
  /** The operator who answers. */
  readonly by: string;
}

const ANSWERS: readonly unknown[] = ["granted", "refused"] satisfies Answer["answer"][];
const SCOPES: readonly unknown[] = ["once", "session"] satisfies Answer["scope"][];

/**
 * The answer as it is now. Throws FEMTO_SOCKET_REQUEST for one that the types forbid, and a `TypeError` unless the answer
 * and its scope are known values. INVARIANT: I5: a record of anything else could not be read back.
 */
export function takenAnswer(given: Answer): Answer {
  requireFields("an answer", given);
  const { id, answer, digest, scope, reason, by } = given;
  for (const [name, text] of Object.entries({ id, digest })) requireText(name, text);
  if (reason !== undefined) requireText("reason", reason);
  if (!ANSWERS.includes(answer)) throw new TypeError(`an answer is one of ${ANSWERS.join(", ")}`);
  if (!SCOPES.includes(scope)) throw new TypeError(`the scope of an answer is one of ${SCOPES.join(", ")}`);
  return { id, answer, digest, scope, by, ...(reason === undefined ? {} : { reason }) };
}

/** An answer with the signature that vouches for it; null if the operator's socket vouches for it instead. */
export interface VouchedAnswer extends Answer {
  readonly signed: SignedAnswer | null;
}

/** Throws FEMTO_APPROVAL_SIGNATURE if the signed note does not count for this log at this time. */
export function openSigned(
  note: string,
  { log, settings, nowUs }: { readonly log: string; readonly settings: ApprovalSettings; readonly nowUs: number },
): VouchedAnswer {
  const opened = openAnswer(note, settings.operators);
  if (typeof opened === "string") throw worthless(opened);
  const { question, digest, answer, scope, operator, expiresAt, reason, log: signedFor } = opened.statement;
  if (signedFor !== log) throw worthless(`it is for another log, ${printable(signedFor, 128)}`);
  if (nowUs >= Date.parse(expiresAt) * 1_000) throw worthless(`it expired at ${expiresAt}`);
  const said = reason === null ? {} : { reason };
  return { id: String(question), digest, answer, scope, by: operatorPrincipal(operator), ...said, signed: opened };
}

/**
 * INVARIANT: I8: an unsigned answer does not count if the configuration demands signatures, nor does an unsigned yes if
 * several operators must say yes.
 */
export function requireSignature(
  { answer, signed }: VouchedAnswer,
  approvers: number,
  settings: ApprovalSettings,
): void {
  if (signed !== null) return;
  if (settings.operatorKey) throw unsigned("the configuration demands that operators sign their answers");
  if (answer === "granted" && approvers > 1) throw unsigned(`the question needs ${approvers} operators, who sign`);
}

/** Whether the agent could answer the question by itself if it runs as the operator's user. */
export function isSelfApprovable(approvers: number, { operatorKey }: ApprovalSettings): boolean {
  return !operatorKey && approvers === 1;
}

/**
 * Computes the digest of a question from everything that its card shows; null if part of it was erased. An operator who
 * signs the digest that came with a card signs what the card shows only if the two digests are equal.
 */
export function questionDigestOf(card: ApprovalCard): string | null {
  const { principal, tool, capability, args, facts, files, rules, approvers } = card;
  if (args === null || facts === null) return null;
  const asked = [principal, tool, capability, args, facts.questions, files, rules, approvers];
  return hash("sha256", JSON.stringify(asked));
}

/** An operator's name as people know it: the name in front of a key, or the plain name if there is no key. */
export function operatorName(by: string): string {
  return parseOperatorKey(by)?.name ?? by;
}

function worthless(reason: string): FemtoError {
  return new FemtoError("FEMTO_APPROVAL_SIGNATURE", `the signed answer does not count: ${reason}`);
}

function unsigned(reason: string): FemtoError {
  return new FemtoError("FEMTO_APPROVAL_UNSIGNED", `the answer is not signed: ${reason}`);
}
