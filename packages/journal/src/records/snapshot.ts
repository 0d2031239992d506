/**
 * Snapshots of the actors, a cache of what folding the records gives. The digests of a snapshot are a record of their
 * own. A snapshot that was changed is recognized by them, and the records are folded instead.
 */
import { hash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import {
  type ActorSnapshot,
  describeViolations,
  errorText,
  FemtoError,
  parseJson,
  type Snapshot,
  type SnapshotDigest,
  type SnapshotTakenBody,
  type TreeHead,
  validateSnapshot,
} from "@femtoclaw/protocol";

/** State of each actor by its name. */
export type ActorSnapshots = Readonly<Record<string, ActorSnapshot>>;

interface EncodedSnapshot {
  readonly bytes: Buffer;
  /** The body of the record that vouches for these bytes. */
  readonly taken: SnapshotTakenBody;
}

/** `tree` is the head of the tree over the records that the snapshot covers. */
export function encodeSnapshot(seq: number, tree: TreeHead, actors: ActorSnapshots): EncodedSnapshot {
  const bytes = Buffer.from(JSON.stringify({ v: 1, seq, actors } satisfies Snapshot));
  return { bytes, taken: { covers: seq, tree, actors: snapshotDigests(actors) } };
}

export function decodeSnapshot(bytes: Uint8Array): Snapshot {
  let value: unknown;
  try {
    value = parseJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new FemtoError("FEMTO_JOURNAL_CORRUPT", `a snapshot is not JSON: ${errorText(error)}`, { cause: error });
  }
  if (!validateSnapshot(value)) {
    const violations = describeViolations(validateSnapshot.errors ?? []);
    throw new FemtoError("FEMTO_JOURNAL_CORRUPT", `a snapshot does not match its schema: ${violations}`);
  }
  return value as Snapshot;
}

/** Why the snapshot is not the one that the record vouches for; undefined if it is. */
export function snapshotMismatch(taken: SnapshotTakenBody, snapshot: Snapshot): string | undefined {
  if (snapshot.seq !== taken.covers) return `the snapshot covers ${snapshot.seq} where ${taken.covers} was recorded`;
  const actual = snapshotDigests(snapshot.actors);
  const names = new Set([...Object.keys(taken.actors), ...Object.keys(actual)]);
  for (const name of names) {
    const [recorded, found] = [ownDigest(taken.actors, name), ownDigest(actual, name)];
    if (!isDeepStrictEqual(recorded, found))
      return `the snapshot of ${JSON.stringify(name)} is not the one that was recorded`;
  }
  return undefined;
}

/** The digests that the record of a snapshot states. */
export function snapshotDigests(actors: ActorSnapshots): Record<string, SnapshotDigest> {
  const digests = Object.entries(actors).map(([name, { state, ...machine }]) => {
    return [name, { ...machine, sha256: hash("sha256", JSON.stringify(state)) }] as const;
  });
  return Object.fromEntries(digests);
}

function ownDigest(digests: Readonly<Record<string, SnapshotDigest>>, name: string): SnapshotDigest | undefined {
  return Object.hasOwn(digests, name) ? digests[name] : undefined;
}
