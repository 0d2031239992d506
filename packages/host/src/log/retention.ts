/** Removes values from a log on an operator's order: finds out what is meant, and reports what was erased. */
import { type Erased, FemtoError, printable } from "@femtoclaw/protocol";
import type { Runtime } from "@femtoclaw/runtime";

export interface EraseRequest {
  /** A sequence number, or an execution, which means all of its records. */
  readonly ref: string;
  readonly field?: string;
  readonly reason: string;
}

/** Throws FEMTO_VALUE_NOT_FOUND if there is nothing at all to erase. Each record is finished before the next one. */
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
      // Not every record of an execution commits to a value.
      if (isSeq || !(error instanceof FemtoError) || error.code !== "FEMTO_VALUE_NOT_FOUND") throw error;
    }
  }
  if (erased.length > 0) return erased;
  throw new FemtoError("FEMTO_VALUE_NOT_FOUND", `no value is kept beside the records of \`${printable(ref, 64)}\``);
}
