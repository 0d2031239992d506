/** What a start says of executions and terminals that the last boot left without an end. */
import type { JournalEntry } from "@femtoclaw/journal";
import type { OpenExecution } from "./projection/execution-records.ts";
import type { OpenTerminal } from "./projection/open-terminals.ts";

/** INVARIANT: I2: an intent without outcome is never run again; what became of it is for a person to say. */
export function interruptedEntries(open: ReadonlyMap<string, OpenExecution>): JournalEntry[] {
  return [...open].map(([execution, { intent, tool, session, boot }]) => {
    return { type: "execution.interrupted", session, execution, body: { intent, tool, boot } };
  });
}

/** What ran on a terminal ended with the host that ran it; how much it wrote in the end nobody knows. */
export function interruptedTerminals(open: ReadonlyMap<string, OpenTerminal>): JournalEntry[] {
  const unknown = { exit_code: null, signal: null, bytes_in: null, bytes_out: null, unrecorded: null };
  return [...open].map(([terminal, { opened, session }]) => {
    const said = { why: "interrupted", reason: "the host ended while it was open" } as const;
    return { type: "terminal.closed", session, execution: null, body: { terminal, opened, ...said, ...unknown } };
  });
}
