/** Taking things out of a log on an operator's word: what is meant by it, and what came of it. */
import { FemtoError, printable } from "@femtoclaw/protocol";
import type { Runtime } from "@femtoclaw/runtime";

export interface Erased {
  /** The record that commits to the values. */
  readonly seq: number;
  readonly paths: readonly string[];
  /** The record of their erasure. */
  readonly record: number;
}

export interface EraseRequest {
  /** A sequence number, or an execution, all of whose records are meant. */
  readonly ref: string;
  readonly field?: string;
  readonly reason: string;
}

/** Throws FEMTO_VALUE_NOT_FOUND when there is nothing to erase at all. Each record is done whole before the next. */
export async function eraseValues(runtime: Runtime, request: EraseRequest, by: string): Promise<Erased[]> {
  const { ref, field, reason } = request;
  const isSeq = /^\d{1,15}$/.test(ref);
  const seqs = isSeq ? [Number(ref)] : await runtime.reader.locate(ref);
  const erased: Erased[] = [];
  for (const seq of seqs) {
    try {
      const path = field === undefined ? {} : { path: field };
      const { record } = await runtime.retention.erase({ seq, ...path, reason }, by);
      if (record.type === "values.erased") erased.push({ seq, paths: record.body.paths, record: record.seq });
    } catch (error) {
      // Not every record of an execution commits to something.
      if (isSeq || !(error instanceof FemtoError) || error.code !== "FEMTO_VALUE_NOT_FOUND") throw error;
    }
  }
  if (erased.length > 0) return erased;
  throw new FemtoError("FEMTO_VALUE_NOT_FOUND", `no value is kept beside the records of \`${printable(ref, 64)}\``);
}
