/**
 * Time travel: folds recorded history and never runs an effect. What it finds is compared with every
 * stored snapshot on the way, so that a replay is also a proof that snapshots equal the fold.
 */
import { isDeepStrictEqual } from "node:util";
import type { JournalReader } from "@femtoclaw/journal";
import { type ActorSnapshot, FemtoError } from "@femtoclaw/protocol";
import { Projection } from "./projection/projection.ts";

export interface ReplayOptions {
  /** Last record to fold; all of them without it. */
  readonly to?: number;
}

export interface Replay {
  readonly projection: Projection;
  /** The first record that was folded; behind a snapshot where history before it was pruned. */
  readonly from: number;
  /** Snapshots that were met and equal the fold. */
  readonly snapshotsEqual: number;
}

/** Throws FEMTO_JOURNAL_CORRUPT naming the first record or snapshot that contradicts the fold. */
export async function replay(reader: JournalReader, options: ReplayOptions = {}): Promise<Replay> {
  const projection = await beginning(reader);
  const from = projection.size;
  if (options.to !== undefined && options.to < from - 1) {
    const reason = `history was pruned: a replay begins at the snapshot after record ${from - 1}`;
    throw new FemtoError("FEMTO_JOURNAL_PRUNED", reason);
  }
  const stored = new Set(await reader.snapshots());
  let snapshotsEqual = 0;
  for await (const record of reader.readFrom(from)) {
    if (options.to !== undefined && record.seq > options.to) break;
    projection.apply(record);
    if (!stored.has(record.seq)) continue;
    const snapshot = await reader.snapshotAt(record.seq);
    if (snapshot === null) continue;
    const difference = firstDifference(snapshot.actors, projection.snapshot());
    if (difference !== null) {
      throw new FemtoError(
        "FEMTO_JOURNAL_CORRUPT",
        `the snapshot after record ${record.seq} differs in \`${difference}\``,
      );
    }
    snapshotsEqual += 1;
  }
  return { projection, from, snapshotsEqual };
}

/** Nothing, or the oldest snapshot that a record vouches for where the records that led to it are gone. */
async function beginning(reader: JournalReader): Promise<Projection> {
  if ((await reader.prunedBefore()) === 0) return new Projection();
  const snapshot = await reader.oldestSnapshot();
  if (snapshot !== null) return Projection.restore(snapshot.seq, snapshot.actors);
  throw new FemtoError("FEMTO_JOURNAL_CORRUPT", "history was pruned, and no snapshot stands for it");
}

function firstDifference(
  stored: Readonly<Record<string, ActorSnapshot>>,
  folded: Readonly<Record<string, ActorSnapshot>>,
): string | null {
  // Both sides go through JSON, because the stored side did.
  const same = (name: string): boolean => isDeepStrictEqual(stored[name], JSON.parse(JSON.stringify(folded[name])));
  return Object.keys(folded).find((name) => stored[name] === undefined || !same(name)) ?? null;
}
