/**
 * Recovers the state that a stored journal stands for: the newest snapshot that fits, then the records after it one by
 * one. A snapshot that does not fit is ignored: it is only a cache, the records are the truth.
 */
import type { JournalReader } from "@femtoclaw/journal";
import type { PolicyContext } from "@femtoclaw/machines";
import { FemtoError, type Snapshot } from "@femtoclaw/protocol";
import { Projection } from "../projection/projection.ts";

export interface Recovered {
  readonly projection: Projection;
  /** Number of records folded after the snapshot. */
  readonly tail: number;
  /** The last record that the snapshot covers; null if every record was folded. */
  readonly snapshot: number | null;
  /** The policy revision that was in force; null if the last boot did not get that far. */
  readonly activePolicy: string | null;
}

export async function recover(reader: JournalReader): Promise<Recovered> {
  const snapshot = await reader.latestSnapshot();
  const projection = snapshot === null ? null : restore(snapshot);
  const start = projection ?? new Projection();
  const from = start.size;
  for await (const record of reader.readFrom(from)) start.apply(record);
  const { active } = start.machine("policy").context as PolicyContext;
  return { projection: start, tail: start.size - from, snapshot: from === 0 ? null : from - 1, activePolicy: active };
}

function restore(snapshot: Snapshot): Projection | null {
  try {
    return Projection.restore(snapshot.seq, snapshot.actors);
  } catch (error) {
    // If a snapshot is of another machine version, the state is rebuilt from the records. Anything else is a fault.
    if (error instanceof FemtoError && error.code === "FEMTO_JOURNAL_FORMAT") return null;
    throw error;
  }
}
