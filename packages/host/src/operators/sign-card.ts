/**
 * Signs an answer to what a card shows. A card may have come through any hands, so it is hostile: the signed digest is
 * computed here from what the card shows, and never taken from the card.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { answerReason, operatorSigner, signAnswer } from "@femtoclaw/journal";
import {
  type ApprovalCard,
  describeViolations,
  FemtoError,
  LIMITS,
  parseStrictJson,
  printable,
  systemErrorCode,
  validateApproval,
} from "@femtoclaw/protocol";
import { questionDigestOf } from "@femtoclaw/runtime";
import { unlockOperatorKey } from "./key-file.ts";

/** LIMIT: bytes of a card, enough for a message and its facts several times over. */
const CARD_BYTES_MAX = 8 * LIMITS.messageBytes;
/** LIMIT: bytes of a signed answer; the longest reason takes half of it. */
const ANSWER_BYTES_MAX = 16_384;

export interface SignRequest {
  readonly answer: "granted" | "refused";
  readonly scope: "once" | "session";
  readonly reason?: string;
  /** File of the operator's private key. */
  readonly key: string;
}

/** Throws FEMTO_APPROVAL_SIGNATURE for a file that is no card. */
export function readCard(path: string): ApprovalCard {
  const limits = { bytes: CARD_BYTES_MAX, depth: LIMITS.jsonDepth + 8, nodes: 8 * LIMITS.jsonNodes };
  const parsed = parseStrictJson(readCapped(path, CARD_BYTES_MAX), limits);
  const shown = printable(path, 4_096);
  if (!parsed.ok) throw worthless(`${shown} is no card: ${parsed.fault.reason}`);
  if (!validateApproval(parsed.value)) {
    throw worthless(`${shown} is no card: ${describeViolations(validateApproval.errors ?? [])}`);
  }
  return parsed.value as unknown as ApprovalCard;
}

export function readAnswer(path: string): string {
  return readCapped(path, ANSWER_BYTES_MAX).toString("utf8");
}

// INVARIANT: I8: what is signed is what the card shows, all of it.
/** Throws FEMTO_APPROVAL_SIGNATURE if the digest on the card is not that of what it shows. */
export function requireWholeCard(card: ApprovalCard): void {
  const shown = questionDigestOf(card);
  if (shown === null) throw worthless("values of the call were erased, so nobody can tell what would run");
  if (shown !== card.digest) throw worthless("the card was edited: its digest is of something else than it shows");
}

/** The answer as a signed note. Asks for the passphrase of the key. */
export async function signCard(card: ApprovalCard, { answer, scope, reason, key }: SignRequest): Promise<string> {
  requireWholeCard(card);
  const [now, end] = [Date.now(), Date.parse(card.expires_at)];
  if (Number.isNaN(end) || end <= now) throw worthless(`the question expired at ${printable(card.expires_at, 32)}`);
  const signer = operatorSigner(await unlockOperatorKey(key), card.operators);
  if (signer === null) throw worthless(`the key in ${printable(key, 4_096)} is of no operator in force`);
  const statement = {
    log: card.log,
    question: Number(card.id),
    digest: card.digest,
    answer,
    scope,
    signedAt: new Date(now).toISOString(),
    expiresAt: new Date(Math.min(end, now + LIMITS.signedAnswerMs)).toISOString(),
    reason: answerReason(reason),
  };
  return signAnswer(statement, signer);
}

function readCapped(path: string, bytesMax: number): Buffer {
  try {
    const file = openSync(path, "r");
    try {
      const bytes = Buffer.alloc(bytesMax + 1);
      let length = 0;
      for (;;) {
        const read = readSync(file, bytes, length, bytes.byteLength - length, null);
        length += read;
        if (length > bytesMax) throw worthless(`${printable(path, 4_096)} is larger than ${bytesMax} bytes`);
        if (read === 0) return bytes.subarray(0, length);
      }
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (error instanceof FemtoError) throw error;
    const reason = `${printable(path, 4_096)} cannot be read: ${systemErrorCode(error) ?? "unknown cause"}`;
    throw new FemtoError("FEMTO_USAGE", reason, { cause: error });
  }
}

function worthless(reason: string): FemtoError {
  return new FemtoError("FEMTO_APPROVAL_SIGNATURE", reason);
}
