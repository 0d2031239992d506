/** A record together with what is stored beside it, as far as that is valid for its kind. */
import type { JournalReader } from "@femtoclaw/journal";
import { type TypedRecord, validateRecord } from "@femtoclaw/protocol";

/**
 * INVARIANT: I7: a commitment vouches for the value that somebody wrote, not that the value makes sense. What does not
 * match the schema is left out, and null stands in its place as if it were gone.
 */
export async function wholeRecord(log: Pick<JournalReader, "withValues">, stored: TypedRecord): Promise<TypedRecord> {
  if (stored.commitments === undefined) return stored;
  const { record } = await log.withValues(stored);
  return validateRecord(record) ? record : stored;
}
