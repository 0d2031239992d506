/**
 * Appends a record of an execution after the first record of its session, and charges its bytes to the session's quota.
 * While the record is on its way to the disk, busy sessions get fewer turns.
 */
import type { JournalEntry } from "@femtoclaw/journal/live";
import { shadowBytes } from "../entries.ts";
import type { Execution } from "../execution.ts";
import type { GateParts } from "../gate-parts.ts";

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
