/**
 * Answers of operators as C2SP signed notes. The signed text names the log, the question, the digest of what was asked,
 * the answer, the operator and when the answer expires. No other kind of note begins with the same first line, so a
 * signature can never be taken for one on something else.
 */
import { verify } from "node:crypto";
import { LIMITS, parseJson, printable, type TypedRecord } from "@femtoclaw/protocol";
import { redact } from "../sealing/redact.ts";
import { decodeBase64 } from "../tree/base64.ts";
import {
  KEY_ID_BYTES,
  NOTE_CHARS_MAX,
  type NoteSigner,
  type NoteVerifier,
  SIGNATURE_BYTES,
  signNote,
} from "../tree/signed-note.ts";
import { parseOperatorKey } from "./operator-key.ts";

const FIRST_LINE = "femtoclaw answer to a question, version 1";

/** What an operator signs. */
export interface AnswerStatement {
  /** Name of the log that contains the question. */
  readonly log: string;
  /** Sequence number of the question. */
  readonly question: number;
  readonly digest: string;
  readonly answer: "granted" | "refused";
  readonly scope: "once" | "session";
  readonly operator: string;
  /** When it was signed: RFC 3339, UTC. */
  readonly signedAt: string;
  readonly expiresAt: string;
  readonly reason: string | null;
}

/** An answer whose signature was found valid. */
export interface SignedAnswer {
  readonly statement: AnswerStatement;
  /** Public key of the operator who signed. */
  readonly vkey: string;
  /** Base64 of the key id followed by the signature. */
  readonly signature: string;
}

/** A reason in the form in which a record would hold it, so that exactly what is recorded gets signed. */
export function answerReason(reason: string | undefined): string | null {
  if (reason === undefined) return null;
  const shown = printable(redact(reason).value.trim(), LIMITS.reasonChars);
  return [...shown].slice(0, LIMITS.reasonChars).join("").trim();
}

/** The signed note of an answer that is given by the operator who signs. */
export function signAnswer(statement: Omit<AnswerStatement, "operator">, signer: NoteSigner): string {
  return signNote(answerText({ ...statement, operator: signer.name }), [signer]);
}

/**
 * Opens a signed answer. Returns the answer if one of these operators signed it, or a text that says why it does not
 * count.
 */
export function openAnswer(note: string, operators: readonly string[]): SignedAnswer | string {
  const split = note.lastIndexOf("\n\n");
  const [, name, signature] = /^\u2014 (\S+) (\S+)\n$/.exec(note.slice(split + 2)) ?? [];
  if (note.length > NOTE_CHARS_MAX || split === -1 || name === undefined || signature === undefined)
    return "it is no text with one signature";
  const statement = parseAnswer(note.slice(0, split + 1));
  if (statement === null) return "it is not made of the lines of an answer";
  if (statement.operator !== name) return "it is signed by another than it names";
  const vkey = operators.find((known) => isOf(known, name, signature));
  if (vkey === undefined) return `no operator in force has the key that ${printable(name, 64)} signed it with`;
  const answer = { statement, vkey, signature };
  return holds(answer) ? answer : "its text is not the one that was signed";
}

type AnswerRecord = TypedRecord & { readonly type: "approval.answered" };

/**
 * Why the signature in a recorded answer does not count, judged by this record alone; null if the signature is valid or
 * there is none.
 */
export function answerFault({ actor, body }: AnswerRecord): string | null {
  const { key, signature: signed } = body;
  if (key === undefined && signed === undefined) return null;
  if (key === undefined || signed === undefined) return "its answer has half a signature";
  const { log, signed_at: signedAt, expires_at: expiresAt, signature } = signed;
  const { question, digest, answer, scope, reason } = body;
  const operator = parseOperatorKey(key)?.name;
  if (operator === undefined) return "its answer names no key of an operator";
  if (actor?.principal !== operatorPrincipal(operator))
    return `its answer is signed by ${operator}, who did not give it`;
  const statement = { log, question, digest, answer, scope, operator, signedAt, expiresAt, reason };
  return holds({ statement, vkey: key, signature }) ? null : "the signature of its answer does not hold";
}

/** The name of an operator who signs, as it stands in records. */
export function operatorPrincipal(name: string): string {
  return `operator:${name}`;
}

// INVARIANT: I8: an answer counts only if the key that it names has signed all of it.
function holds({ statement, vkey, signature }: SignedAnswer): boolean {
  const verifier = parseOperatorKey(vkey);
  const bytes = decodeBase64(signature);
  if (verifier === null || bytes?.byteLength !== KEY_ID_BYTES + SIGNATURE_BYTES) return false;
  if (!verifier.keyId.equals(bytes.subarray(0, KEY_ID_BYTES))) return false;
  return verify(null, Buffer.from(answerText(statement)), verifier.publicKey, bytes.subarray(KEY_ID_BYTES));
}

function isOf(vkey: string, name: string, signature: string): boolean {
  const verifier: NoteVerifier | null = parseOperatorKey(vkey);
  const id = decodeBase64(signature)?.subarray(0, KEY_ID_BYTES);
  return verifier !== null && id !== undefined && verifier.name === name && verifier.keyId.equals(id);
}

function answerText(statement: AnswerStatement): string {
  const { log, question, digest, answer, scope, operator, signedAt, expiresAt, reason } = statement;
  const lines = [
    FIRST_LINE,
    `log ${log}`,
    `question ${question}`,
    `digest ${digest}`,
    `answer ${answer}`,
    `scope ${scope}`,
    `operator ${operator}`,
    `signed ${signedAt}`,
    `expires ${expiresAt}`,
    `reason ${JSON.stringify(reason)}`,
  ];
  return `${lines.join("\n")}\n`;
}

const LINES = new RegExp(
  [
    `^${FIRST_LINE}`,
    "log (?<log>[!-~]{1,256})",
    "question (?<question>0|[1-9][0-9]{0,15})",
    "digest (?<digest>[0-9a-f]{64})",
    "answer (?<answer>granted|refused)",
    "scope (?<scope>once|session)",
    "operator (?<operator>[!-~]{1,64})",
    "signed (?<signedAt>[0-9TZ:.-]{24})",
    "expires (?<expiresAt>[0-9TZ:.-]{24})",
    "reason (?<reason>[^\\n]+)\\n$",
  ].join("\\n"),
);

/** Null for anything but the canonical text of an answer. */
function parseAnswer(text: string): AnswerStatement | null {
  const found = LINES.exec(text)?.groups;
  if (found === undefined) return null;
  const { log = "", question, digest = "", operator = "", signedAt = "", expiresAt = "" } = found;
  const reason = parseReason(found["reason"] ?? "");
  if (reason === undefined || !isTime(signedAt) || !isTime(expiresAt)) return null;
  const answer = found["answer"] === "granted" ? "granted" : "refused";
  const scope = found["scope"] === "session" ? "session" : "once";
  const statement = {
    log,
    question: Number(question),
    digest,
    answer,
    scope,
    operator,
    signedAt,
    expiresAt,
    reason,
  } as const;
  return answerText(statement) === text ? statement : null;
}

/** Undefined for a reason that no record could hold unchanged. */
function parseReason(text: string): string | null | undefined {
  try {
    const reason: unknown = parseJson(text);
    if (reason === null) return null;
    return typeof reason === "string" && answerReason(reason) === reason ? reason : undefined;
  } catch {
    return undefined;
  }
}

function isTime(text: string): boolean {
  const time = new Date(text);
  return !Number.isNaN(time.getTime()) && time.toISOString() === text;
}
