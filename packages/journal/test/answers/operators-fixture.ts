/** Operators with keys, and what they sign. */

import type { AnswerStatement } from "../../src/answers/signed-answer.ts";
import { newOperatorKey, operatorSigner, readOperatorKey, signAnswer } from "../../src/index.ts";

export type Statement = Omit<AnswerStatement, "operator">;

export interface Operator {
  readonly name: string;
  readonly vkey: string;
  sign(statement: Statement): string;
}

export function operator(name: string): Operator {
  const { pem, vkey } = newOperatorKey(name, null);
  const key = readOperatorKey(pem, null);
  const signer = key === null ? null : operatorSigner(key, [vkey]);
  if (signer === null) throw new Error("a new key is readable");
  return { name, vkey, sign: (statement) => signAnswer(statement, signer) };
}

export const STATEMENT: Statement = {
  log: "femtoclaw.local/00112233445566778899aabbccddeeff",
  question: 42,
  digest: "ab".repeat(32),
  answer: "granted",
  scope: "once",
  signedAt: "2026-11-26T10:00:00.000Z",
  expiresAt: "2026-11-26T11:00:00.000Z",
  reason: null,
};
