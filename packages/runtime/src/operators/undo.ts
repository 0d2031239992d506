/**
 * Takes back what an execution did to files. An undo is the reverse call, proposed by an operator. It goes through the
 * gate like any other, with a decision and records of its own, and relies only on the journal.
 */
import { Buffer } from "node:buffer";
import { type Reversal, reversalOf } from "@femtoclaw/capabilities";
import type { JournalReader } from "@femtoclaw/journal";
import { FemtoError, printable, type Reply, requireText, type TypedRecord } from "@femtoclaw/protocol";
import type { Session } from "../sessions/session.ts";
import { notFound, showExecution } from "./history.ts";

/** Proposes the reverse call of an execution, in an operator session that is closed afterwards. */
export async function undo(execution: string, reader: JournalReader, open: () => Session): Promise<Reply> {
  requireText("execution", execution);
  const message = messageOf(await reversalFor(reader, execution));
  await using session = open();
  return await session.propose(message, { label: `undo of ${execution}` });
}

/**
 * Throws FEMTO_UNDO_IMPOSSIBLE with the reason, or FEMTO_EXECUTION_NOT_FOUND if the journal does not know the
 * execution.
 */
async function reversalFor(reader: JournalReader, execution: string): Promise<Reversal> {
  const shown = await showExecution(reader, execution);
  if (shown === null) throw await notFound(reader, execution);
  const intent = shown.records.find(isIntent);
  const outcome = shown.records.find(isOutcome);
  if (outcome === undefined) {
    const { status } = shown.view;
    throw impossible(execution, `it is ${status}, so what it did is not recorded`);
  }
  if (intent === undefined) throw impossible(execution, "its intent is not in the journal any more");
  const { event, left } = outcome.body;
  if (event !== "succeeded") throw impossible(execution, "it did not end well, so what it did is not recorded");
  const { record } = await reader.withValues(intent);
  // INVARIANT: I10: a secret that was taken out of a record is not put back into a file.
  if (record.redactions?.some(({ path }) => path === "/kept" || path.startsWith("/kept/"))) {
    throw impossible(execution, "what was kept looked like a secret, and is in no record");
  }
  const { tool, kept } = (record as typeof intent).body;
  const why = reversalOf({ tool, kept: kept ?? [], left: left ?? {} });
  // If nothing was kept, that is reported first, because it says more than that something was changed.
  if (typeof why === "string") throw impossible(execution, why);
  if (left === undefined) throw impossible(execution, "what it changed was not what had been kept a moment before");
  return why;
}

/** The very message that an agent would send. */
function messageOf({ tool, args }: Reversal): Uint8Array {
  return Buffer.from(JSON.stringify({ tool_call: { tool, args } }));
}

function isIntent(record: TypedRecord): record is TypedRecord & { readonly type: "execution.intent" } {
  return record.type === "execution.intent";
}

function isOutcome(record: TypedRecord): record is TypedRecord & { readonly type: "execution.outcome" } {
  return record.type === "execution.outcome";
}

function impossible(execution: string, why: string): FemtoError {
  return new FemtoError("FEMTO_UNDO_IMPOSSIBLE", `execution ${printable(execution, 64)} cannot be undone: ${why}`);
}
