/**
 * Proves a snapshot to somebody who has the log's public key and, of the log, only what follows the snapshot. The next
 * record holds the digests of the snapshot, and the records from there on lead to the signed root.
 */
import { errorText, FemtoError, type Snapshot } from "@femtoclaw/protocol";
import { decodeAt } from "../journal-reader.ts";
import { snapshotMismatch } from "../records/snapshot.ts";
import type { StoredRecord } from "../store/store.ts";
import { leafHash } from "../tree/hashing.ts";
import { inclusionProof, verifyInclusion } from "../tree/proof.ts";
import { TILE_WIDTH, TileTree } from "../tree/tiles.ts";
import { hashReader, openSigned } from "./inclusion.ts";
import { MissingPart } from "./log-source.ts";
import type { ReplayReader } from "./tiles-reader.ts";

/** A snapshot that the signed log vouches for, or why it does not. */
export type SnapshotProof =
  | { readonly ok: true; readonly snapshot: Snapshot; readonly origin: string; readonly size: number }
  | { readonly ok: false; readonly verdict: "tampered" | "incomplete" | "unverifiable"; readonly reason: string };

/**
 * Proves the snapshot that covers `seq`, by the record after it and a checkpoint over that record, which `vkey` must
 * have signed. Hostile input leads to a refusal, never to an exception.
 */
export async function proveSnapshot(reader: ReplayReader, seq: number, vkey: string): Promise<SnapshotProof> {
  try {
    return await proved(reader, seq, vkey);
  } catch (error) {
    const reason = errorText(error);
    if (error instanceof MissingPart) return { ok: false, verdict: "incomplete", reason };
    const unknown = error instanceof FemtoError && error.code === "FEMTO_JOURNAL_FORMAT";
    return { ok: false, verdict: unknown ? "unverifiable" : "tampered", reason };
  }
}

async function proved(reader: ReplayReader, seq: number, vkey: string): Promise<SnapshotProof> {
  const snapshot = await reader.snapshotAt(seq);
  if (snapshot === null) throw new MissingPart(seq, `the snapshot after record ${seq} is missing`);
  const note = await reader.latestCheckpoint();
  if (note === null) throw new MissingPart(0, "there is no checkpoint");
  const checkpoint = openSigned(note, vkey);
  if (typeof checkpoint === "string") return tampered(checkpoint);
  const { origin, size, root } = checkpoint;
  if (seq + 1 >= size) throw new MissingPart(size, `no checkpoint covers record ${seq + 1}, which has the digests`);
  const stored = await storedAt(reader, seq + 1);
  const path = await inclusionProof(seq + 1, size, hashReader(reader));
  if (!verifyInclusion(leafHash(stored.bytes), seq + 1, size, path, root)) {
    return tampered(`record ${seq + 1} is not the one that stands there in this log`);
  }
  const record = decodeAt(stored);
  if (record.type !== "snapshot.taken") return tampered(`record ${seq + 1} vouches for no snapshot`);
  const mismatch = snapshotMismatch(record.body, snapshot);
  if (mismatch !== undefined) return tampered(mismatch);
  const tree = await treeAt(reader, seq + 1);
  for await (const { bytes } of reader.readStored(seq + 1, size)) tree.push(leafHash(bytes));
  if (tree.size !== size || Buffer.compare(tree.root(), root) !== 0) {
    return tampered(`the records from ${seq + 1} on are not those that were signed`);
  }
  return { ok: true, snapshot, origin, size };
}

async function storedAt(reader: ReplayReader, seq: number): Promise<StoredRecord> {
  for await (const stored of reader.readStored(seq, seq + 1)) return stored;
  throw new MissingPart(seq, `record ${seq} is missing`);
}

/**
 * The tree as it was at this size, built from its hashes alone. They are proved right once the tree has grown to the
 * signed root.
 */
async function treeAt(reader: ReplayReader, size: number): Promise<TileTree> {
  const edge: (readonly Uint8Array[])[] = [];
  for (let level = 0, count = size; count > 0; level += 1, count = Math.floor(count / TILE_WIDTH)) {
    const width = count % TILE_WIDTH;
    edge.push(width === 0 ? [] : await reader.hashes(level, count - width, width));
  }
  return new TileTree(edge, size);
}

function tampered(reason: string): SnapshotProof {
  return { ok: false, verdict: "tampered", reason };
}
