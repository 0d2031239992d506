/**
 * From a stored journal to the state that it stands for: the newest snapshot that fits, then the tail
 * record by record. A snapshot that does not fit is ignored: it is a cache, the records are the truth.
 */
import type { JournalReader } from "@femtoclaw/journal";
import type { PolicyContext } from "@femtoclaw/machines";
import { FemtoError, type Snapshot } from "@femtoclaw/protocol";
import { Projection } from "./projection/projection.ts";

export interface Recovered {
  readonly projection: Projection;
  /** Records folded after the snapshot. */
  readonly tail: number;
  /** Last record that the snapshot covers; null when everything was folded. */
  readonly snapshot: number | null;
  /** The policy revision that was in force; null where the last boot did not come so far. */
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
    // A snapshot of another machine version is rebuilt from records; anything else is a fault.
    if (error instanceof FemtoError && error.code === "FEMTO_JOURNAL_FORMAT") return null;
    throw error;
  }
}
