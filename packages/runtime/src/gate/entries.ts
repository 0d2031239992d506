/** The records that an execution leaves: one when refused, two when it runs. Pure. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { JournalEntry } from "@femtoclaw/journal";
import { type DecisionCode, type ExecutionOutcomeBody, LIMITS, printable, type ReplyError } from "@femtoclaw/protocol";
import type { Execution, RefusalEvent, RequestDigest } from "./execution.ts";

export function messageEntry(execution: Execution, content: string): JournalEntry {
  return { type: "message.recorded", session: execution.session, execution: execution.id, body: { content } };
}

export function refusalEntry(
  execution: Execution,
  event: RefusalEvent,
  decision: DecisionCode,
  error: ReplyError,
): JournalEntry {
  return {
    type: "execution.refused",
    session: execution.session,
    execution: execution.id,
    body: {
      tool: execution.call?.tool ?? null,
      request: requestDigest(execution.bytes),
      label: execution.label,
      event,
      decision,
      facts: execution.facts,
      revision: execution.revision,
      rules: [...execution.rules],
      error,
    },
  };
}

export function intentEntry(execution: Execution): JournalEntry {
  const { call, capability, facts, revision } = execution;
  assert(call && capability && facts && revision, "an intent has a call, its facts and its decision");
  return {
    type: "execution.intent",
    session: execution.session,
    execution: execution.id,
    body: {
      tool: call.tool,
      capability: capability.manifest.version,
      args: call.args,
      label: execution.label,
      facts,
      revision,
      rules: [...execution.rules],
      received_us: execution.receivedUs,
    },
  };
}

/** Stands for the refusals of a session that were more than its quota. */
export function haltEntry(execution: Execution, event: RefusalEvent, error: ReplyError): JournalEntry {
  const body = { recorded: execution.quota.recorded, event, code: error.code };
  return { type: "session.halted", session: execution.session, execution: null, body };
}

/** LIMIT: bytes of a record beside its body, at the most. */
const FRAME_BYTES = 512;

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
  readonly error?: ReplyError;
}

export function outcomeEntry(execution: Execution, details: OutcomeDetails): JournalEntry {
  assert(execution.intent !== null, "an outcome follows a durable intent");
  const { event, began, durationUs, sandbox, result, error } = details;
  return {
    type: "execution.outcome",
    session: execution.session,
    execution: execution.id,
    body: {
      intent: execution.intent,
      event,
      began,
      duration_us: durationUs,
      sandbox,
      ...(result === undefined ? {} : { result }),
      ...(error === undefined ? {} : { error }),
    },
  };
}

/** A refused payload is kept as its digest and a capped head, so that refusals cannot fill the journal. */
function requestDigest(bytes: Uint8Array): RequestDigest {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, LIMITS.refusedHeadChars * 4));
  return {
    sha256: createHash("sha256").update(bytes).digest("hex"),
    bytes: bytes.byteLength,
    head: printable(head.toString("utf8"), LIMITS.refusedHeadChars),
  };
}
