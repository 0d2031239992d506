/** Puts the values that a record commits to back into it, if they are still kept and match their commitments. */
import { FemtoError, parseJson, type TypedRecord } from "@femtoclaw/protocol";
import { openCommitment } from "./commitments.ts";
import { replacedAt } from "./json-pointer.ts";

/** A record with its values. */
export interface Unsealed {
  readonly record: TypedRecord;
  /** Paths of values that were kept but are not there any more. The record has null in their places. */
  readonly erased: readonly string[];
}

/** `blob` finds the stored blob of the record's commitment with this index; null if it was erased. */
export async function unseal(
  record: TypedRecord,
  blob: (seq: number, index: number) => Promise<Uint8Array | null>,
): Promise<Unsealed> {
  const { commitments = [], seq } = record;
  const erased: string[] = [];
  let body: unknown = record.body;
  // A member may have left after single texts in it. Restoring in reverse order puts it back before them.
  for (const [index, commitment] of [...commitments.entries()].reverse()) {
    if (!commitment.kept) continue;
    const stored = await blob(seq, index);
    if (stored === null) {
      erased.unshift(commitment.path);
      continue;
    }
    const bytes = openCommitment(commitment, stored);
    if (bytes === undefined || bytes === null) {
      const reason = `what is kept beside record ${seq} is not what it commits to at ${commitment.path}`;
      throw new FemtoError("FEMTO_JOURNAL_CORRUPT", reason);
    }
    const text = Buffer.from(bytes).toString();
    body = replacedAt(body, commitment.path, commitment.form === "json" ? parsed(text, record) : text) ?? body;
  }
  return { record: { ...record, body } as TypedRecord, erased };
}

/** The writer of the record may have committed to something that is not JSON. */
function parsed(text: string, { seq }: TypedRecord): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    const reason = `what is kept beside record ${seq} is not the JSON that it is said to be`;
    throw new FemtoError("FEMTO_JOURNAL_CORRUPT", reason, { cause: error });
  }
}
