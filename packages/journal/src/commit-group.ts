/**
 * Turns the waiting items into a commit group: applies the records to the projector, grows the tree, and takes the
 * snapshot that ends the group.
 */
import assert from "node:assert/strict";
import type { SnapshotTakenBody, TypedRecord } from "@femtoclaw/protocol";
import type { QueuedItem, QueuedSnapshot } from "./commit-queue.ts";
import type { Projector } from "./journal-options.ts";
import { rotationName, snapshotName } from "./records/object-name.ts";
import { encodeRecord } from "./records/record.ts";
import { encodeSnapshot } from "./records/snapshot.ts";
import type { CommitGroup, IndexEntry, Removal, StoredObject } from "./store/store.ts";
import { encodeBase64 } from "./tree/base64.ts";
import type { TileTree } from "./tree/tiles.ts";
import { growTree } from "./tree-log.ts";

interface PreparedGroup {
  readonly records: readonly TypedRecord[];
  readonly commit: CommitGroup;
}

/**
 * INVARIANT: records and the tiles that they fill are written in one batch, so that records and tree always agree.
 * `also` are further objects for this batch.
 */
export function prepareGroup(
  items: readonly QueuedItem[],
  tree: TileTree,
  projector: Projector | undefined,
  also: readonly StoredObject[],
): PreparedGroup {
  const expectedSize = tree.size;
  const records: TypedRecord[] = [];
  const bytes: Buffer[] = [];
  const index: IndexEntry[] = [];
  const objects: StoredObject[] = [...also];
  const removals: Removal[] = [];
  let snapshot: QueuedSnapshot | null = null;
  for (const item of items) {
    if (item.kind === "snapshot") snapshot = item;
    if (item.kind !== "record") continue;
    const { record } = item;
    records.push(record);
    bytes.push(item.bytes);
    objects.push(...item.blobs);
    if (item.removal !== undefined) removals.push(item.removal);
    if (record.execution !== null) index.push({ execution: record.execution, seq: record.seq });
    if (record.type === "key.rotated") objects.push({ name: rotationName(record.seq), bytes: NOTHING });
    projector?.apply(record);
  }
  objects.push(...growTree(tree, bytes));
  if (snapshot !== null) {
    const taken = takeSnapshot(snapshot, tree, projector);
    const takenBytes = encodeRecord(taken.record);
    records.push(taken.record);
    bytes.push(takenBytes);
    objects.push(taken.object, ...growTree(tree, [takenBytes]));
    projector?.apply(taken.record);
  }
  const commit = { expectedSize, records: bytes, index, objects };
  return { records, commit: removals.length === 0 ? commit : { ...commit, removal: joined(removals) } };
}

/** The highest boundary wins. It keeps everything that a lower one would keep. */
function joined(removals: readonly Removal[]): Removal {
  const objects = removals.flatMap((removal) => removal.objects);
  const records = removals.flatMap((removal) => removal.records ?? []);
  const [highest] = records.toSorted((left, right) => right.before - left.before);
  return highest === undefined ? { objects } : { objects, records: highest };
}

const NOTHING = Buffer.alloc(0);

function takeSnapshot(
  { frame }: QueuedSnapshot,
  tree: TileTree,
  projector: Projector | undefined,
): { readonly record: TypedRecord; readonly object: StoredObject } {
  assert(projector !== undefined, "a snapshot needs a projector");
  const seq = frame.seq - 1;
  const head = { size: tree.size, root: encodeBase64(tree.root()) };
  const { bytes, taken } = encodeSnapshot(seq, head, projector.snapshot());
  const body: SnapshotTakenBody = taken;
  const record: TypedRecord = {
    ...frame,
    type: "snapshot.taken",
    actor: null,
    session: null,
    execution: null,
    body,
  };
  return { record, object: { name: snapshotName(seq), bytes } };
}
