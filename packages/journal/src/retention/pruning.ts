/**
 * Drops the oldest records: which boundary to use, what goes below it, and what has to stay so that the rest can be
 * opened, replayed and proved. The hashes of all records stay in the tiles.
 */
import { FemtoError, type Pruning, type RecordActor } from "@femtoclaw/protocol";
import type { LogReader } from "../journal-reader.ts";
import { BLOBS, PRUNED, placeOfBlob, snapshotName } from "../records/object-name.ts";
import type { JournalStore } from "../store/store.ts";
import { TILE_WIDTH } from "../tree/tiles.ts";
import type { PlannedRemoval } from "./erasure.ts";

/**
 * Plans a pruning of the records below `requested`. The boundary is rounded down to a multiple of a tile's width, so
 * that every bundle of an export is either whole or absent. Throws FEMTO_PRUNE_REFUSED if nothing lies below it.
 */
export async function planPruning(reader: LogReader, requested: number): Promise<Pruning> {
  const since = await reader.prunedBefore();
  const bounded = Math.min(requested, reader.size);
  const before = bounded - (bounded % TILE_WIDTH);
  if (before <= since) {
    const reason = `records go in whole steps of ${TILE_WIDTH}, and between record ${since}, the first that may go, and record ${requested}, before which they should, there is none`;
    throw new FemtoError("FEMTO_PRUNE_REFUSED", reason, {
      fix: "No record is that old. Name a later boundary, or wait.",
    });
  }
  const keep = [0, ...(await reader.rotations()).filter((seq) => seq < before)];
  const records = before - since - keep.filter((seq) => seq >= since).length;
  return { before, since, records, keep };
}

/**
 * INVARIANT: what a start needs stays: a snapshot that a record vouches for and a checkpoint, both at or above the
 * boundary.
 */
export async function removalOf(
  reader: Pick<LogReader, "prunedBefore" | "latestSnapshot" | "checkpoints" | "snapshots">,
  store: Pick<JournalStore, "objects">,
  { before, since, records, keep }: Pruning,
  actor: RecordActor,
): Promise<PlannedRemoval> {
  const now = await reader.prunedBefore();
  if (now !== since) {
    const reason = `the log was pruned to record ${now} meanwhile; look again what would go`;
    throw new FemtoError("FEMTO_PRUNE_REFUSED", reason);
  }
  const snapshot = await reader.latestSnapshot();
  const signed = (await reader.checkpoints()).at(-1) ?? 0;
  if (snapshot === null || snapshot.seq + 1 < before || signed < before) {
    throw new FemtoError("FEMTO_PRUNE_REFUSED", `no snapshot and no checkpoint stand above record ${before}`);
  }
  const snapshots = (await reader.snapshots()).filter((seq) => seq + 1 < before).map(snapshotName);
  const blobs = (await store.objects(BLOBS)).filter((name) => (placeOfBlob(name)?.seq ?? before) < before);
  return {
    entry: { type: "log.pruned", actor, session: null, execution: null, body: { before, records } },
    removal: { objects: [...snapshots, ...blobs], records: { before, keep } },
    also: [{ name: PRUNED, bytes: Buffer.from(String(before)) }],
  };
}
