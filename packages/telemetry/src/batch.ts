/** A batch of records in order, with what earlier records contribute to their meaning. */
import type { JournalReader } from "@femtoclaw/journal";
import type { TypedRecord } from "@femtoclaw/protocol";
import type { Cursor } from "./cursor.ts";
import type { Before } from "./span-facts.ts";

/** LIMIT: records in one request. */
const BATCH_RECORDS = 512;

export interface Batch {
  readonly records: readonly TypedRecord[];
  readonly before: Before;
  /** Where the next batch begins. */
  readonly after: Cursor;
}

type Intent = NonNullable<ReturnType<Before["intent"]>>;

export async function readBatch(reader: JournalReader, { next, version }: Cursor): Promise<Batch> {
  // Records that were pruned before they were sent are gone.
  const prunedBefore = await reader.prunedBefore();
  const from = Math.max(next, prunedBefore);
  const records: TypedRecord[] = [];
  for await (const record of reader.readFrom(from)) {
    records.push(record);
    if (records.length === BATCH_RECORDS) break;
  }
  const intents = await intentsOf(reader, records, prunedBefore);
  const versions = await versionsBefore(reader, records, { version, prunedBefore });
  return {
    records,
    before: { intent: (seq) => intents.get(seq), version: (seq) => versions.before.get(seq) ?? null },
    after: { next: from + records.length, version: versions.last },
  };
}

/** The intents of the executions that ended in the batch, wherever in the journal they stand. */
async function intentsOf(
  reader: JournalReader,
  records: readonly TypedRecord[],
  prunedBefore: number,
): Promise<ReadonlyMap<number, Intent>> {
  const intents = new Map<number, Intent>();
  const keep = (record: TypedRecord): void => {
    if (record.type !== "execution.intent") return;
    const { tool, received_us: receivedUs, trace } = record.body;
    intents.set(record.seq, { tool, receivedUs, trace });
  };
  for (const record of records) keep(record);
  for (const record of records) {
    if (record.type !== "execution.outcome" && record.type !== "execution.interrupted") continue;
    const { intent } = record.body;
    if (intents.has(intent) || intent < prunedBefore) continue;
    for await (const earlier of reader.read(intent, intent + 1)) keep(earlier);
  }
  return intents;
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
