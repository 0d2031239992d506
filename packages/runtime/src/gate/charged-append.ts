/**
 * Appends a record of an execution and charges its session's quota with the bytes; the session's own record stands before it.
 * While it is on its way to the disk, others have fewer turns.
 */
import type { JournalEntry } from "@femtoclaw/journal/live";
import { shadowBytes } from "./entries.ts";
import type { Execution } from "./execution.ts";
import type { GateParts } from "./gate-parts.ts";

export async function chargedAppend(
  parts: GateParts,
  execution: Execution,
  entry: JournalEntry,
): ReturnType<GateParts["append"]> {
  const { turns, clock } = parts;
  execution.introduce();
  turns.onDisk(execution.session);
  try {
    const appended = await parts.append(entry);
    execution.quota.spend(appended.bytes - shadowBytes(entry), clock.monotonicUs());
    return appended;
  } finally {
    turns.offDisk(execution.session);
  }
}
