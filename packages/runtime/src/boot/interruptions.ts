/** The records that a start makes for executions and terminals that the last boot left open. */
import type { JournalEntry } from "@femtoclaw/journal";
import type { OpenExecution } from "../projection/execution-records.ts";
import type { OpenTerminal } from "../projection/open-terminals.ts";

/** INVARIANT: I2: an intent without an outcome is never run again. A person has to say what became of it. */
export function interruptedEntries(open: ReadonlyMap<string, OpenExecution>): JournalEntry[] {
  return [...open].map(([execution, { intent, tool, session, boot }]) => {
    return { type: "execution.interrupted", session, execution, body: { intent, tool, boot } };
  });
}

/** A program on a terminal ended with its host; nobody knows how much it wrote at the end. */
export function interruptedTerminals(open: ReadonlyMap<string, OpenTerminal>): JournalEntry[] {
  const unknown = { exit_code: null, signal: null, bytes_in: null, bytes_out: null, unrecorded: null };
  return [...open].map(([terminal, { opened, session }]) => {
    const said = { why: "interrupted", reason: "the host ended while it was open" } as const;
    return { type: "terminal.closed", session, execution: null, body: { terminal, opened, ...said, ...unknown } };
  });
}
