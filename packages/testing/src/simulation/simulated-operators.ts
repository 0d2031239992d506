/** Two operators with keys that are the same in every world, and what they sign. */

import { type NoteSigner, noteSigner, signAnswer, verifierKey } from "@femtoclaw/journal";
import type { ApprovalCard } from "@femtoclaw/protocol";
import { keyOf } from "./simulated-keyring.ts";

const SIGNERS: readonly [NoteSigner, ...NoteSigner[]] = [
  noteSigner("ada", keyOf(Buffer.alloc(32, 1))),
  noteSigner("grace", keyOf(Buffer.alloc(32, 2))),
];

export const OPERATORS: readonly string[] = SIGNERS.map((signer) => verifierKey(signer));

/** Which operator answers; the same one may answer twice. */
export type OperatorIndex = 0 | 1;

export interface SimulatedAnswer {
  readonly operator: OperatorIndex;
  readonly answer: "granted" | "refused";
  readonly scope: "once" | "session";
  /** Microseconds since 1970 by the wall clock of the host. */
  readonly nowUs: number;
}

export function signedAnswer(
  { log, id, digest, expires_at }: ApprovalCard,
  { operator, answer, scope, nowUs }: SimulatedAnswer,
): string {
  const statement = {
    log,
    question: Number(id),
    digest,
    answer,
    scope,
    reason: null,
    signedAt: new Date(nowUs / 1_000).toISOString(),
    expiresAt: expires_at,
  };
  return signAnswer(statement, SIGNERS[operator] ?? SIGNERS[0]);
}
