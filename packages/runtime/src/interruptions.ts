/** What a start does about executions and terminals that the last boot left open. */
import { removeTemporary } from "@femtoclaw/capabilities";
import type { JournalEntry, JournalReader } from "@femtoclaw/journal";
import { systemErrorCode } from "@femtoclaw/protocol";
import type { OpenExecution } from "./projection/execution-records.ts";
import type { OpenTerminal } from "./projection/open-terminals.ts";

/** INVARIANT: I2: an intent without an outcome is never run again. A person has to say what became of it. */
export function interruptedEntries(open: ReadonlyMap<string, OpenExecution>): JournalEntry[] {
  return [...open].map(([execution, { intent, tool, session, boot }]) => {
    return { type: "execution.interrupted", session, execution, body: { intent, tool, boot } };
  });
}

/**
 * Removes the files that such executions were writing beside their own. Nobody else would know that they are leftovers.
 * INVARIANT: I1: this touches no file that a call names, and nothing that a call could have made as part of its effect.
 */
export async function removeUnfinished(
  reader: Pick<JournalReader, "read">,
  open: ReadonlyMap<string, OpenExecution>,
): Promise<void> {
  for (const [execution, { intent }] of [...open]) {
    for await (const { type, body } of reader.read(intent, intent + 1)) {
      if (type !== "execution.intent") continue;
      for (const { path } of body.kept ?? []) await removeTemporary(path, execution).catch(ignoreRefusal);
    }
  }
}

/** Its folder may be gone or read-only by now. A leftover is no reason not to start. */
function ignoreRefusal(error: unknown): void {
  if (systemErrorCode(error) === undefined) throw error;
}

/** A program on a terminal ended with its host; nobody knows how much it wrote at the end. */
export function interruptedTerminals(open: ReadonlyMap<string, OpenTerminal>): JournalEntry[] {
  const unknown = { exit_code: null, signal: null, bytes_in: null, bytes_out: null, unrecorded: null };
  return [...open].map(([terminal, { opened, session }]) => {
    const said = { why: "interrupted", reason: "the host ended while it was open" } as const;
    return { type: "terminal.closed", session, execution: null, body: { terminal, opened, ...said, ...unknown } };
  });
}
