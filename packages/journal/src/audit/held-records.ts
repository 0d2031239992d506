/** The records that a log still holds: all of them, or those that pruning has left. */
import type { LogReader } from "../journal-reader.ts";
import type { StoredRecord } from "../store/store.ts";

/** The first `size` records except those that were pruned, oldest first. */
export async function* heldRecords(reader: LogReader, size: number): AsyncGenerator<StoredRecord> {
  const before = await reader.prunedBefore();
  const kept = before === 0 ? [] : [0, ...(await reader.rotations()).filter((seq) => seq < before)];
  for (const seq of kept) yield* reader.readStored(seq, seq + 1);
  yield* reader.readStored(before, size);
}
