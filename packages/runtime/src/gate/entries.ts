/** Builds the records that an execution leaves: one if it is refused, two if it runs. Pure. */

import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { type JournalEntry, redact, SecretStream, textWithoutSecrets } from "@femtoclaw/journal/live";
import {
  type ApprovedFile,
  type DecisionCode,
  type ExecutionIntentBody,
  type ExecutionOutcomeBody,
  type LeftBehind,
  LIMITS,
  printable,
  type Redaction,
  type ReplyError,
  type ShadowVerdict,
} from "@femtoclaw/protocol";
import type { Execution, RefusalEvent } from "./execution.ts";

export function messageEntry(execution: Execution, content: string): JournalEntry {
  return { type: "message.recorded", ...whose(execution), body: { content } };
}

export function refusalEntry(
  execution: Execution,
  event: RefusalEvent,
  decision: DecisionCode,
  error: ReplyError,
): JournalEntry {
  const { bytes, call, facts, label, trace, revision, rules, waited } = execution;
  const { head, redacted } = requestHead(execution);
  return {
    type: "execution.refused",
    ...whose(execution),
    body: {
      tool: call?.tool ?? null,
      request: { bytes: bytes.byteLength, head, payload: null },
      label,
      ...(trace === null ? {} : { trace }),
      event,
      decision,
      facts,
      input_sha256: facts === null ? null : inputDigest(execution),
      revision,
      rules: [...rules],
      error,
      ...shadowOf(execution, { approved: false }),
      ...(waited === null ? {} : { approval: waited.seq }),
    },
    redacted,
    committed: [{ path: "/request/payload", bytes }],
  };
}

export function intentEntry(execution: Execution): JournalEntry {
  const { approval, receivedUs, marks, kept, bytes, reservedBytes } = execution;
  const decided = decidedCall(execution);
  return {
    type: "execution.intent",
    ...whose(execution),
    body: {
      ...decided.body,
      rules: [...execution.rules],
      received_us: receivedUs,
      ...shadowOf(execution, { approved: approval !== null }),
      ...(approval === null ? {} : { approval }),
      bytes: bytes.byteLength,
      reserved_bytes: reservedBytes,
      ...trustOf(execution),
      ...(execution.codeSha256 === null ? {} : { code_sha256: execution.codeSha256 }),
      ...(marks.length === 0 ? {} : { marks: [...marks] }),
      ...(kept.length === 0 ? {} : { kept: kept.map(({ entry }) => entry) as ExecutionIntentBody["kept"] & object }),
    },
    secrets: decided.secrets,
  };
}

/**
 * What operators are asked about a call: the rules that ask, how many operators must say yes, and the files involved.
 */
export interface Asked {
  readonly rules: readonly string[];
  readonly approvers: number;
  readonly files: readonly ApprovedFile[];
}

export function questionEntry(
  execution: Execution,
  { rules, approvers, files }: Asked,
  {
    digest,
    expiresUs,
    lifetimeMs,
  }: { readonly digest: string; readonly expiresUs: number; readonly lifetimeMs: number },
): JournalEntry {
  const decided = decidedCall(execution);
  return {
    type: "approval.asked",
    ...whose(execution),
    body: {
      ...decided.body,
      rules: [...rules],
      approvers,
      files: [...files],
      ...shadowOf(execution, { approved: false }),
      digest,
      expires_at: new Date(expiresUs / 1_000).toISOString(),
      lifetime_ms: lifetimeMs,
    },
    secrets: decided.secrets,
  };
}

/**
 * INVARIANT: I8: a yes is given to everything that makes the call what it is. Anyone who holds the record can compute
 * this digest, so secrets are taken out first, as they are in the record.
 */
export function questionDigest(execution: Execution, { rules, approvers, files }: Asked): string {
  const { body, secrets } = decidedCall(execution);
  const { principal } = execution.actor;
  const questions = body.facts.questions;
  const asked = [principal, body.tool, body.capability, body.args, questions, files, rules, approvers];
  const marked = secrets.map((secret) => ({ ...secret, path: secret.path.replace(/^\/args/, "/3") }));
  return hash("sha256", JSON.stringify(redact(asked, marked).value));
}

/**
 * INVARIANT: I3: rules on trial are evaluated after everything is decided, on the facts that the record holds, and
 * their verdict goes into the record and nowhere else.
 */
function shadowOf(
  { actor, call, facts, onTrial, share }: Execution,
  { approved }: { readonly approved: boolean },
): { readonly shadow?: ShadowVerdict } {
  if (onTrial === null || call === null || facts?.history === undefined) return {};
  const { questions, history } = facts;
  const asked = { principal: actor.principal, capability: call.tool, questions, history, approved, share };
  return { shadow: onTrial.verdict(asked) };
}

/** The fields that an intent and a question have in common. */
function decidedCall(execution: Execution) {
  const { call, capability, facts, revision, secrets } = execution;
  assert(call && capability && facts && revision, "a call that was decided on has facts and a revision");
  return {
    body: {
      tool: call.tool,
      capability: capability.manifest.version,
      args: call.args,
      label: execution.label,
      ...(execution.trace === null ? {} : { trace: execution.trace }),
      facts,
      input_sha256: inputDigest(execution),
      revision,
    },
    secrets: secrets.input(call.args, "/args"),
  };
}

/** Stands for all refusals of a session beyond its quota. */
export function haltEntry(execution: Execution, event: RefusalEvent, error: ReplyError): JournalEntry {
  const body = { recorded: execution.quota.recorded, event, code: error.code };
  return { type: "session.halted", ...whose(execution), execution: null, body };
}

/** LIMIT: maximum size of a record apart from its body, in bytes. */
const FRAME_BYTES = 1_024;

/** Bytes that the entry will take in the journal, or slightly more, without the verdict of rules on trial. */
export function entryBytes(entry: JournalEntry): number {
  return Buffer.byteLength(JSON.stringify(entry.body)) - shadowBytes(entry) + FRAME_BYTES;
}

/**
 * INVARIANT: I3: no session is halted for what a trial adds to its records, so quotas do not count these bytes. LIMIT:
 * a trial adds at most 5 KiB to a record.
 */
export function shadowBytes({ body }: JournalEntry): number {
  return "shadow" in body && typeof body.shadow === "object"
    ? Buffer.byteLength(`"shadow":${JSON.stringify(body.shadow)},`)
    : 0;
}

interface OutcomeDetails {
  readonly event: ExecutionOutcomeBody["event"];
  readonly began: boolean;
  readonly durationUs: number;
  readonly sandbox: string | null;
  readonly result?: Record<string, unknown>;
  /** Size of the result as JSON, in bytes. */
  readonly resultBytes?: number;
  readonly error?: ReplyError;
  readonly left?: LeftBehind;
}

/** INVARIANT: each record of an effect that ran within this process, with all its rights, says so. */
function trustOf({ capability }: Execution): { readonly trusted?: true } {
  return capability?.isolation === "in-process" ? { trusted: true } : {};
}

/** The connections of the call's programs, or those that were carried for the capability, as the outcome reports them. */
function connectionsOf({ connections, carried }: Execution): Pick<ExecutionOutcomeBody, "connections"> {
  const traffic = [...(connections?.traffic ?? []), ...(carried?.recorded ?? [])];
  return traffic.length === 0 ? {} : { connections: traffic };
}

export function outcomeEntry(execution: Execution, details: OutcomeDetails): JournalEntry {
  assert(execution.intent !== null, "an outcome follows a durable intent");
  const { event, began, durationUs, sandbox, result, resultBytes = 0, error, left } = details;
  return {
    type: "execution.outcome",
    ...whose(execution),
    body: {
      intent: execution.intent,
      event,
      began,
      duration_us: durationUs,
      sandbox,
      bytes: resultBytes,
      ...(result === undefined ? {} : { result }),
      ...(error === undefined ? {} : { error }),
      ...(left === undefined ? {} : { left }),
      ...trustOf(execution),
      ...connectionsOf(execution),
      ...execution.relay?.recorded,
    },
    secrets: execution.secrets.output(result, "/result"),
  };
}

function whose({ actor, session, id }: Execution): Pick<JournalEntry, "actor" | "session" | "execution"> {
  return { actor, session, execution: id };
}

/** Digest of the input to the decision. Anyone who has the facts can check with it that they are the very ones. */
function inputDigest({ actor, call, facts }: Execution): string {
  return hash("sha256", textWithoutSecrets([actor.principal, call?.tool, facts]));
}

/** A refused payload leaves only a commitment and a capped head, so that refusals cannot fill the journal. */
function requestHead({ bytes, call, secrets }: Execution): {
  readonly head: string;
  readonly redacted: readonly Redaction[];
} {
  const marked = call === null ? [] : secrets.input(call.args, "/tool_call/args");
  const parsed = call === null ? null : redact({ tool_call: call }, marked);
  const within = parsed?.redactions ?? [];
  const shown = within.length === 0 ? windowOf(bytes) : JSON.stringify(parsed?.value);
  // The text is cut only after redaction: half of a secret would not be recognized as one.
  const { value: whole, redactions } = redact(shown);
  // INVARIANT: I10: nor would one that the end of the window cuts, so what may be its beginning is left out. A long
  // secret before it shrinks to a few words, and then that end is shown. A call was examined whole, not in a window.
  const value = call === null && bytes.byteLength > WINDOW_BYTES ? new SecretStream().push(shown) : whole;
  const redacted = [...within, ...redactions].map(({ rule }) => ({ path: "/request/head", rule }));
  return { head: printable(value, LIMITS.refusedHeadChars), redacted };
}

/** LIMIT: bytes of a refused payload that are looked at for its head. */
const WINDOW_BYTES = LIMITS.refusedHeadChars * 8;

function windowOf(bytes: Uint8Array): string {
  const length = Math.min(bytes.byteLength, WINDOW_BYTES);
  return Buffer.from(bytes.buffer, bytes.byteOffset, length).toString("utf8");
}
