/** Reads a whole journal and reports the first thing in it that is wrong. */
import { errorText, FemtoError, type TypedRecord } from "@femtoclaw/protocol";
import type { JournalReader } from "../journal-reader.ts";
import { RecordOrder } from "./record-order.ts";
import { snapshotMismatch } from "./snapshot.ts";

/** The result of a check. */
interface JournalCheck {
  /** Counts up to the fault, or of everything if there is none. */
  readonly records: number;
  readonly boots: number;
  readonly snapshots: number;
  readonly fault: { readonly seq: number; readonly reason: string } | null;
}

/**
 * Checks schemas, the canonical encoding, that there is no gap, that time does not run backwards within a boot, and
 * that snapshots are as recorded.
 */
export async function checkJournal(reader: JournalReader): Promise<JournalCheck> {
  const order = new RecordOrder();
  let snapshots = 0;
  let seq = await reader.prunedBefore();
  const end = (reason: string | null): JournalCheck => {
    return { records: seq, boots: order.boots, snapshots, fault: reason === null ? null : { seq, reason } };
  };
  try {
    const unrecorded = new Set(await reader.snapshots());
    for await (const stored of reader.readStored(seq, reader.size)) {
      const record = order.read(seq, stored.bytes);
      if (record.type === "snapshot.taken") {
        const mismatch = await snapshotFault(reader, record);
        if (mismatch !== undefined) return end(mismatch);
        unrecorded.delete(record.body.covers);
        snapshots += 1;
      }
      seq += 1;
    }
    const [stray] = unrecorded;
    return end(stray === undefined ? null : `no record vouches for the snapshot that covers record ${stray}`);
  } catch (error) {
    if (error instanceof FemtoError) return end(errorText(error));
    throw error;
  }
}

async function snapshotFault(
  reader: JournalReader,
  record: TypedRecord & { readonly type: "snapshot.taken" },
): Promise<string | undefined> {
  const { covers } = record.body;
  if (covers !== record.seq - 1) return `the snapshot covers record ${covers}, which is not the one before it`;
  const snapshot = await reader.snapshotAt(covers);
  return snapshot === null ? "the recorded snapshot is missing" : snapshotMismatch(record.body, snapshot);
}
