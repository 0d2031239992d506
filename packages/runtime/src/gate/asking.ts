/** Where policy asks: looks for a yes that covers the call, and makes a question of it where there is none. */
import assert from "node:assert/strict";
import { type BoundArguments, namedFiles } from "@femtoclaw/capabilities";
import { type JournalEntry, textWithoutSecrets } from "@femtoclaw/journal/live";
import type { Question } from "@femtoclaw/policy";
import type { Reply } from "@femtoclaw/protocol";
import { type Asked, questionDigest, questionEntry } from "./entries.ts";
import type { Execution } from "./execution.ts";
import type { GateParts } from "./gate-parts.ts";
import type { Questions } from "./questions.ts";
import type { Problem } from "./verdict.ts";
import type { WaitingCall } from "./waiting-call.ts";

/** What the gate does next with a call that policy asks about. */
export type Asking =
  /** Operators have said yes to this very call; it is decided once more, with the yes. */
  | { readonly kind: "granted"; readonly question: number }
  /** Its session asks about the same call already; the answer to it is the answer to this one. */
  | { readonly kind: "same"; readonly reply: Reply }
  | { readonly kind: "refused"; readonly problem: Problem }
  /** The question, which is to be durable before anyone hears of it. */
  | { readonly kind: "ask"; readonly entry: JournalEntry; waiting(seq: number): WaitingCall };

export async function askingOf(
  execution: Execution,
  { rules, approvers }: Pick<Question, "rules" | "approvers">,
  parts: GateParts,
  questions: Questions,
): Promise<Asking> {
  const { bound, call, revision, session, standing, waited } = execution;
  assert(bound && call && revision && standing, "facts were taken before policy was asked");
  // INVARIANT: I8: a yes to opening a terminal is a yes to using it, and to nothing else.
  const opened = yesToTerminal(bound);
  if (opened !== null) return { kind: "granted", question: opened };
  // What Cedar files keep from programs is in no table; it shows in what the sandbox may read.
  const named = await namedFiles(bound, standing.sandbox?.authority ?? standing.authority);
  if (!named.ok) return { kind: "refused", problem: unanswerable(named.reason) };
  const asked: Asked = { rules, approvers, files: named.files };
  const digest = questionDigest(execution, asked);
  // INVARIANT: I8: the yes was to a digest; a call whose digest is another one by now is asked about anew.
  if (waited?.digest === digest) return { kind: "granted", question: waited.seq };
  const secrets = textWithoutSecrets(call.args) !== JSON.stringify(call.args) || isMarked(execution);
  // No digest covers secrets, so two calls that differ in one have the same digest; such calls never count as the same.
  const earlier = secrets ? undefined : questions.granted(session, revision, digest);
  if (earlier !== undefined) return { kind: "granted", question: earlier };
  const same = secrets || waited !== null ? undefined : questions.same(session, digest);
  if (same !== undefined) return { kind: "same", reply: pendingReply(same, rules) };
  const problem = tooFewOperators(approvers, parts.approvals) ?? questions.admit(session);
  if (problem !== null) return { kind: "refused", problem };
  const { clock, approvals } = parts;
  const lifetimeMs = approvals.expiresMs;
  const expiresUs = clock.nowUs() + lifetimeMs * 1_000;
  const deadlineUs = clock.monotonicUs() + lifetimeMs * 1_000;
  return {
    kind: "ask",
    entry: questionEntry(execution, asked, { digest, expiresUs, lifetimeMs }),
    // Written out in full: an object made by spreading takes half as much memory again, and this one may be kept for days.
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
    }),
  };
}

/** Of a question that is asked just now, who has said yes to it. */
const NOBODY: readonly string[] = [];

/** The question whose yes opened the terminal that the call uses. */
function yesToTerminal({ all }: BoundArguments): number | null {
  const [only, ...others] = all;
  return only?.kind === "terminal" && others.length === 0 ? only.approval : null;
}

const isMarked = ({ call, secrets }: Execution): boolean => secrets.input(call?.args, "").length > 0;

/** No question is made where there are too few operators for it to be granted. */
function tooFewOperators(approvers: number, { operators }: GateParts["approvals"]): Problem | null {
  if (approvers === 1 || operators.length >= approvers) return null;
  const reason = `a rule asks ${approvers} operators, and ${operators.length} are named with a key`;
  return { code: "FEMTO_APPROVAL_OPERATORS", reason };
}

/** No question is made about files to which a yes cannot be bound. */
function unanswerable(reason: string): Problem {
  const fix = "Name fewer files in one call, each by a path of its own on which the host may go.";
  return { code: "FEMTO_APPROVAL_LIMIT", reason: `an operator cannot be asked about this call: ${reason}`, fix };
}

/** `rules` are those that ask, which are in the digest of the question. */
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
