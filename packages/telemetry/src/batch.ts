/** A batch of records in order, with what earlier records contribute to their meaning. */
import type { JournalReader } from "@femtoclaw/journal";
import type { TypedRecord } from "@femtoclaw/protocol";
import type { Cursor } from "./cursor.ts";
import type { Before } from "./span-facts.ts";
import { referenceOf } from "./trace-parent.ts";

/** LIMIT: records in one request. */
const BATCH_RECORDS = 512;

export interface Batch {
  readonly records: readonly TypedRecord[];
  readonly before: Before;
  /** Where the next batch begins. */
  readonly after: Cursor;
}

export async function readBatch(reader: JournalReader, { next, version }: Cursor): Promise<Batch> {
  // Records that were pruned before they were sent are gone.
  const prunedBefore = await reader.prunedBefore();
  const from = Math.max(next, prunedBefore);
  const records: TypedRecord[] = [];
  for await (const record of reader.readFrom(from)) {
    records.push(record);
    if (records.length === BATCH_RECORDS) break;
  }
  const known = await withReferences(reader, records, prunedBefore);
  const versions = await versionsBefore(reader, records, { version, prunedBefore });
  return {
    records,
    before: { record: (seq) => known.get(seq), version: (seq) => versions.before.get(seq) ?? null },
    after: { next: from + records.length, version: versions.last },
  };
}

/** The records of the batch, and those to which they refer, wherever in the journal these stand. */
async function withReferences(
  reader: JournalReader,
  records: readonly TypedRecord[],
  prunedBefore: number,
): Promise<ReadonlyMap<number, TypedRecord>> {
  const known = new Map(records.map((record) => [record.seq, record]));
  for (const record of records) {
    let seq = referenceOf(record);
    while (seq !== null && seq >= prunedBefore && !known.has(seq)) {
      const [from, to] = [seq, seq + 1];
      seq = null;
      for await (const earlier of reader.read(from, to)) {
        known.set(from, earlier);
        seq = referenceOf(earlier);
      }
    }
  }
  return known;
}

/** For each boot in the batch the version of the previous boot, by which an upgrade is noticed. */
async function versionsBefore(
  reader: JournalReader,
  records: readonly TypedRecord[],
  { version, prunedBefore }: { readonly version: string | null; readonly prunedBefore: number },
): Promise<{ readonly before: ReadonlyMap<number, string>; readonly last: string | null }> {
  const before = new Map<number, string>();
  let last = version;
  for (const record of records) {
    if (record.type !== "boot.started") continue;
    // The journal is only searched if the cursor does not know the version.
    last ??= record.body.previous_end === "none" ? null : await lastVersion(reader, prunedBefore, record.seq);
    if (last !== null) before.set(record.seq, last);
    last = record.body.version;
  }
  return { before, last };
}

async function lastVersion(reader: JournalReader, from: number, to: number): Promise<string | null> {
  for await (const record of reader.readBackwards(from, to)) {
    if (record.type === "boot.started") return record.body.version;
  }
  return null;
}
