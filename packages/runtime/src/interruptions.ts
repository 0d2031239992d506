/** What a start says of executions that the last boot left without an end. */
import type { JournalEntry } from "@femtoclaw/journal";
import type { OpenExecution } from "./projection/execution-records.ts";

/** INVARIANT: I2: an intent without outcome is never run again; what became of it is for a person to say. */
export function interruptedEntries(open: ReadonlyMap<string, OpenExecution>): JournalEntry[] {
  return [...open].map(([execution, { intent, tool, session, boot }]) => {
    return { type: "execution.interrupted", session, execution, body: { intent, tool, boot } };
  });
}
