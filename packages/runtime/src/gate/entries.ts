/** The records that an execution leaves: one when refused, two when it runs. Pure. */

import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { type JournalEntry, redact, textWithoutSecrets } from "@femtoclaw/journal";
import {
  type DecisionCode,
  type ExecutionOutcomeBody,
  LIMITS,
  printable,
  type Redaction,
  type ReplyError,
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
  const { bytes, call, facts, label, revision, rules } = execution;
  const { head, redacted } = requestHead(execution);
  return {
    type: "execution.refused",
    ...whose(execution),
    body: {
      tool: call?.tool ?? null,
      request: { bytes: bytes.byteLength, head, payload: null },
      label,
      event,
      decision,
      facts,
      input_sha256: facts === null ? null : inputDigest(execution),
      revision,
      rules: [...rules],
      error,
    },
    redacted,
    committed: [{ path: "/request/payload", bytes }],
  };
}

export function intentEntry(execution: Execution): JournalEntry {
  const { call, capability, facts, marks, revision, secrets } = execution;
  assert(call && capability && facts && revision, "an intent has a call, its facts and its decision");
  return {
    type: "execution.intent",
    ...whose(execution),
    body: {
      tool: call.tool,
      capability: capability.manifest.version,
      args: call.args,
      label: execution.label,
      facts,
      input_sha256: inputDigest(execution),
      revision,
      rules: [...execution.rules],
      received_us: execution.receivedUs,
      bytes: execution.bytes.byteLength,
      reserved_bytes: execution.reservedBytes,
      ...(marks.length === 0 ? {} : { marks: [...marks] }),
    },
    secrets: secrets.input(call.args, "/args"),
  };
}

/** Stands for the refusals of a session that were more than its quota. */
export function haltEntry(execution: Execution, event: RefusalEvent, error: ReplyError): JournalEntry {
  const body = { recorded: execution.quota.recorded, event, code: error.code };
  return { type: "session.halted", ...whose(execution), execution: null, body };
}

/** LIMIT: bytes of a record beside its body, at the most. */
const FRAME_BYTES = 1_024;

/** Bytes that the entry will take in the journal, or a few more. */
export function entryBytes({ body }: JournalEntry): number {
  return Buffer.byteLength(JSON.stringify(body)) + FRAME_BYTES;
}

export interface OutcomeDetails {
  readonly event: ExecutionOutcomeBody["event"];
  readonly began: boolean;
  readonly durationUs: number;
  readonly sandbox: string | null;
  readonly result?: Record<string, unknown>;
  /** Bytes of the result as JSON. */
  readonly resultBytes?: number;
  readonly error?: ReplyError;
}

export function outcomeEntry(execution: Execution, details: OutcomeDetails): JournalEntry {
  assert(execution.intent !== null, "an outcome follows a durable intent");
  const { event, began, durationUs, sandbox, result, resultBytes = 0, error } = details;
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
    },
    secrets: execution.secrets.output(result, "/result"),
  };
}

function whose({ actor, session, id }: Execution): Pick<JournalEntry, "actor" | "session" | "execution"> {
  return { actor, session, execution: id };
}

/** What the decision was made on, so that anyone who holds the facts can tell that these were the ones. */
function inputDigest({ actor, call, facts }: Execution): string {
  return hash("sha256", textWithoutSecrets([actor.principal, call?.tool, facts]));
}

/** A refused payload is kept as a commitment and a capped head, so that refusals cannot fill the journal. */
function requestHead({ bytes, call, secrets }: Execution): {
  readonly head: string;
  readonly redacted: readonly Redaction[];
} {
  const marked = call === null ? [] : secrets.input(call.args, "/tool_call/args");
  const parsed = call === null ? null : redact({ tool_call: call }, marked);
  const within = parsed?.redactions ?? [];
  const shown = within.length === 0 ? windowOf(bytes) : JSON.stringify(parsed?.value);
  // Cut only afterwards: the half of a secret does not look like one any more.
  const { value, redactions } = redact(shown);
  const redacted = [...within, ...redactions].map(({ rule }) => ({ path: "/request/head", rule }));
  return { head: printable(value, LIMITS.refusedHeadChars), redacted };
}

function windowOf(bytes: Uint8Array): string {
  const length = Math.min(bytes.byteLength, LIMITS.refusedHeadChars * 8);
  return Buffer.from(bytes.buffer, bytes.byteOffset, length).toString("utf8");
}
