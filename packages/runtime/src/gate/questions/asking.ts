/**
 * Handles calls that policy asks about: finds an earlier yes that covers the call, or turns the call into a question.
 */
import assert from "node:assert/strict";
import { type BoundArguments, namedFiles } from "@femtoclaw/capabilities";
import { type JournalEntry, textWithoutSecrets } from "@femtoclaw/journal/live";
import type { Question } from "@femtoclaw/policy";
import type { Reply } from "@femtoclaw/protocol";
import { haltOf } from "../admission/session-halt.ts";
import { type Asked, questionDigest, questionEntry } from "../entries.ts";
import type { Execution } from "../execution.ts";
import type { GateParts } from "../gate-parts.ts";
import type { Problem } from "../verdict.ts";
import type { Questions } from "./questions.ts";
import type { WaitingCall } from "./waiting-call.ts";

/** What the gate does next with a call that policy asks about. */
export type Asking =
  /** Operators have said yes to this very call; it is decided once more, counting that yes. */
  | { readonly kind: "granted"; readonly question: number }
  /** The session already asks about the same call; that answer will also be the answer to this one. */
  | { readonly kind: "same"; readonly reply: Reply }
  | { readonly kind: "refused"; readonly problem: Problem }
  /** A new question. It must be durable before anyone learns of it. */
  | {
      readonly kind: "ask";
      readonly entry: JournalEntry;
      readonly secretBytes: number;
      waiting(seq: number): WaitingCall;
    };

export async function askingOf(
  execution: Execution,
  { rules, approvers }: Pick<Question, "rules" | "approvers">,
  parts: GateParts,
  questions: Questions,
): Promise<Asking> {
  const { bound, call, revision, session, standing, waited } = execution;
  assert(bound && call && revision && standing, "facts were taken before policy was asked");
  // INVARIANT: I8: a yes to opening a terminal is also a yes to using it, and to nothing else.
  const opened = yesToTerminal(bound);
  if (opened !== null) return { kind: "granted", question: opened };
  // Paths that Cedar files deny to programs are in no table; they show only in what the sandbox may read.
  const named = await namedFiles(bound, standing.sandbox?.authority ?? standing.authority);
  if (!named.ok) return { kind: "refused", problem: unanswerable(named.reason) };
  const asked: Asked = { rules, approvers, files: named.files };
  const digest = questionDigest(execution, asked);
  // INVARIANT: I8: the yes was given to a digest. If the digest of the call has changed since, operators are asked
  // anew.
  if (waited?.digest === digest) return { kind: "granted", question: waited.seq };
  const text = JSON.stringify(call.args);
  const secrets = textWithoutSecrets(call.args) !== text || isMarked(execution);
  const secretBytes = secrets ? Buffer.byteLength(text) : 0;
  // A digest does not cover secrets, so two calls that differ only in a secret have the same digest. Calls with secrets
  // therefore never count as the same.
  const earlier = secrets ? undefined : questions.granted(session, revision, digest);
  if (earlier !== undefined) return { kind: "granted", question: earlier };
  const same = secrets || waited !== null ? undefined : questions.same(session, digest);
  if (same !== undefined) return { kind: "same", reply: pendingReply(same, rules) };
  // The session may have been halted since the call came in, and no yes could let it go on.
  const halted = haltOf(parts.histories, session);
  const problem = halted ?? tooFewOperators(approvers, parts.approvals) ?? questions.admit(session, secretBytes);
  if (problem !== null) return { kind: "refused", problem };
  const { clock, approvals } = parts;
  const lifetimeMs = approvals.expiresMs;
  const expiresUs = clock.nowUs() + lifetimeMs * 1_000;
  const deadlineUs = clock.monotonicUs() + lifetimeMs * 1_000;
  return {
    kind: "ask",
    secretBytes,
    entry: questionEntry(execution, asked, { digest, expiresUs, lifetimeMs }),
    // Written out in full: an object made by spreading takes half as much memory again, and this one may be kept for
    // days.
    waiting: (seq) => ({
      seq,
      execution: execution.id,
      session,
      tool: call.tool,
      revision,
      digest,
      approvers,
      granted: NOBODY,
      expiresUs,
      deadlineUs,
      secretArgs: secrets ? (call.args as WaitingCall["secretArgs"]) : null,
      secretBytes,
    }),
  };
}

/** The operators who said yes to a question that was only just asked. */
const NOBODY: readonly string[] = [];

/** The question whose yes opened the terminal that this call uses. */
function yesToTerminal({ all }: BoundArguments): number | null {
  const [only, ...others] = all;
  return only?.kind === "terminal" && others.length === 0 ? only.approval : null;
}

const isMarked = ({ call, secrets }: Execution): boolean => secrets.input(call?.args, "").length > 0;

/** No question is asked if there are too few operators to grant it. */
function tooFewOperators(approvers: number, { operators }: GateParts["approvals"]): Problem | null {
  if (approvers === 1 || operators.length >= approvers) return null;
  const reason = `a rule asks ${approvers} operators, and ${operators.length} are named with a key`;
  return { code: "FEMTO_APPROVAL_OPERATORS", reason };
}

/** No question is asked about files to which a yes cannot be bound. */
function unanswerable(reason: string): Problem {
  const fix = "Name fewer files in one call, each with a path that the host can access.";
  return { code: "FEMTO_APPROVAL_LIMIT", reason: `an operator cannot be asked about this call: ${reason}`, fix };
}

/** `rules` are the rules that ask; they are part of the question's digest. */
export function pendingReply({ execution, seq, expiresUs, revision }: WaitingCall, rules: readonly string[]): Reply {
  return {
    execution_id: execution,
    status: "pending",
    decision: null,
    approval: { id: String(seq), expires_at: new Date(expiresUs / 1_000).toISOString() },
    policy: { revision, rules: [...rules] },
    record: { seq },
  };
}
