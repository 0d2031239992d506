/** Checks records one after the other: each must be in canonical form and not older than the one before it. */
import { FemtoError, type TypedRecord } from "@femtoclaw/protocol";
import type { Placed } from "./known-heads.ts";
import { assertFits, decodeText, isOwnText, parseRecord } from "./record.ts";

export class RecordOrder {
  readonly #boots = new Set<string>();
  #previous: Placed | null = null;

  get boots(): number {
    return this.#boots.size;
  }

  /** Decodes the next record from its stored bytes. Throws if the record itself or its position is wrong. */
  read(seq: number, bytes: Uint8Array): TypedRecord {
    const text = decodeText(bytes);
    const record = parseRecord(text);
    if (record.seq !== seq) throw corrupt(`record ${seq} calls itself ${record.seq}`);
    // Different texts can mean the same record, but the journal writes only one of them.
    if (!isOwnText(text, record)) throw corrupt("the record is not written in the journal's own way");
    assertFits(record.type, bytes);
    this.follow(record);
    return record;
  }

  /** Takes a record that is known to be valid in itself. Records of the same boot may be left out in between. */
  follow(record: Placed): void {
    const previous = this.#previous;
    this.#previous = record;
    if (previous?.boot === record.boot) {
      if (record.mono_us < previous.mono_us) throw corrupt("the record is older than the one before it");
      return;
    }
    if (this.#boots.has(record.boot)) throw corrupt("the boot of the record had ended before");
    this.#boots.add(record.boot);
  }
}

function corrupt(reason: string): FemtoError {
  return new FemtoError("FEMTO_JOURNAL_CORRUPT", reason);
}
