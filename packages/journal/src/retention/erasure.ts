/**
 * Erases values that records commit to. What opens the commitments is deleted, and in the same step a record reports
 * it. The committing record stays unchanged to the byte, and so does every proof.
 */
import { FemtoError, printable, type RecordActor, type TypedRecord } from "@femtoclaw/protocol";
import type { JournalReader } from "../journal-reader.ts";
import { blobName } from "../records/object-name.ts";
import { isWithin } from "../sealing/json-pointer.ts";
import type { SealableEntry } from "../sealing/seal.ts";
import type { Removal, StoredObject } from "../store/store.ts";

/** Which values to erase, why, and on whose order. */
export interface ErasureRequest {
  /** The record that commits to the values. */
  readonly seq: number;
  /** Erase only the commitments at or below this path in the body; by default all of them. */
  readonly path?: string;
  readonly reason: string;
  readonly actor: RecordActor;
}

export interface PlannedRemoval {
  readonly entry: SealableEntry;
  readonly removal: Removal;
  /** What is stored in the same step. */
  readonly also?: readonly StoredObject[];
}

/** Throws FEMTO_VALUE_NOT_FOUND if there is nothing to erase. */
export async function planErasure(reader: JournalReader, request: ErasureRequest): Promise<PlannedRemoval> {
  const { seq, path = "", reason, actor } = request;
  const record = await recordAt(reader, seq);
  const found: { readonly path: string; readonly name: string }[] = [];
  for (const [index, commitment] of (record.commitments ?? []).entries()) {
    if (!isWithin(commitment.path, path) || (await reader.blob(seq, index)) === null) continue;
    found.push({ path: commitment.path, name: blobName(seq, index) });
  }
  if (found.length === 0) {
    const place = path === "" ? "" : ` at ${printable(path)}`;
    throw new FemtoError("FEMTO_VALUE_NOT_FOUND", `no value is kept beside record ${seq}${place}`);
  }
  const body = { seq, paths: found.map((one) => one.path), reason };
  return {
    entry: { type: "values.erased", actor, session: null, execution: record.execution, body },
    removal: { objects: found.map(({ name }) => name) },
  };
}

async function recordAt(reader: JournalReader, seq: number): Promise<TypedRecord> {
  for await (const record of reader.read(seq, seq + 1)) return record;
  throw new FemtoError("FEMTO_VALUE_NOT_FOUND", `the journal holds no record ${seq}`);
}
