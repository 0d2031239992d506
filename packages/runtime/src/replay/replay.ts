/**
 * Time travel: folds recorded history and never runs an effect. The result is compared with every stored snapshot on
 * the way, so that a replay also proves that snapshots equal the fold.
 */
import type { ReplayReader } from "@femtoclaw/journal";
import { type ActorSnapshot, FemtoError, type Snapshot } from "@femtoclaw/protocol";
import { Projection } from "../projection/projection.ts";
import { asStored, type StateDifference, stateDifferences } from "./state-difference.ts";

/** The part of a log that is folded. */
export type FoldedLog = Pick<
  ReplayReader,
  "size" | "read" | "snapshots" | "snapshotAt" | "prunedBefore" | "oldestSnapshot"
>;

/** Which part of a log is folded. */
export interface ReplayOptions {
  /** Last record to fold; by default all are folded. */
  readonly to?: number;
}

/** The state at the end of a replay, and what it was compared with. */
export interface Replay {
  /** The state after the last folded record. */
  readonly projection: Projection;
  /** The first record that was folded, which comes after a snapshot if history before it was pruned. */
  readonly from: number;
  /** Snapshots of today's machine versions on the way, all of which equal the fold. */
  readonly snapshotsEqual: number;
}

/**
 * Folds a log with the machines of today. Throws FEMTO_JOURNAL_CORRUPT naming the first record or snapshot that
 * contradicts the fold, and FEMTO_JOURNAL_PRUNED if the state can no longer be known.
 */
export async function replay(reader: FoldedLog, options: ReplayOptions = {}): Promise<Replay> {
  const projection = await beginning(reader, options.to);
  const from = projection.size;
  const stored = new Set(await reader.snapshots());
  let snapshotsEqual = 0;
  for await (const record of reader.read(from, (options.to ?? reader.size) + 1)) {
    projection.apply(record);
    if (!stored.has(record.seq)) continue;
    const snapshot = await reader.snapshotAt(record.seq);
    if (snapshot === null) continue;
    const folded = asStored(projection.snapshot());
    // States of other machine versions are left to a recomputation.
    if (Object.entries(snapshot.actors).some(([name, held]) => isOtherVersion(held, folded, name))) continue;
    const [difference] = stateDifferences(snapshot.actors, folded);
    if (difference !== undefined) {
      throw new FemtoError(
        "FEMTO_JOURNAL_CORRUPT",
        `the snapshot after record ${record.seq} differs in \`${difference.actor}\``,
      );
    }
    snapshotsEqual += 1;
  }
  return { projection, from, snapshotsEqual };
}

async function beginning(reader: FoldedLog, needed?: number): Promise<Projection> {
  const snapshot = await firstState(reader, needed);
  return snapshot === null ? new Projection() : Projection.restore(snapshot.seq, snapshot.actors);
}

/**
 * The oldest snapshot that a record vouches for, if the records that led to it are gone; null if none are. Throws
 * FEMTO_JOURNAL_PRUNED if the state after the needed record can no longer be known.
 */
export async function firstState(
  reader: Pick<FoldedLog, "prunedBefore" | "oldestSnapshot">,
  needed?: number,
): Promise<Snapshot | null> {
  if ((await reader.prunedBefore()) === 0) return null;
  const snapshot = await reader.oldestSnapshot();
  if (snapshot === null) throw pruned("no snapshot stands for it");
  if (needed === undefined || needed >= snapshot.seq) return snapshot;
  throw pruned(`a replay begins at the snapshot after record ${snapshot.seq}`);
}

function pruned(reason: string): FemtoError {
  return new FemtoError("FEMTO_JOURNAL_PRUNED", `history was pruned: ${reason}`);
}

function isOtherVersion(
  { machine, version }: ActorSnapshot,
  folded: Readonly<Record<string, ActorSnapshot>>,
  name: string,
): boolean {
  const own = Object.hasOwn(folded, name) ? folded[name] : undefined;
  return own !== undefined && own.machine === machine && own.version !== version;
}

/** The differences between the states after two records, whichever of them is earlier. */
export async function replayDifference(reader: FoldedLog, from: number, to: number): Promise<StateDifference[]> {
  const beyond = [from, to].find((seq) => seq >= reader.size);
  if (beyond !== undefined) {
    throw new FemtoError("FEMTO_EXECUTION_NOT_FOUND", `there is no record ${beyond}: the log has ${reader.size}`, {
      fix: `Name records from 0 to ${reader.size - 1}.`,
    });
  }
  const projection = await beginning(reader, Math.min(from, to));
  const states = new Map<number, Readonly<Record<string, ActorSnapshot>>>();
  const note = (seq: number): void => {
    if (seq === from || seq === to) states.set(seq, asStored(projection.snapshot()));
  };
  note(projection.size - 1);
  for await (const record of reader.read(projection.size, Math.max(from, to) + 1)) {
    projection.apply(record);
    note(record.seq);
  }
  return stateDifferences(states.get(from) ?? {}, states.get(to) ?? {});
}
