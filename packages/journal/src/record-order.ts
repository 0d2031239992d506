/** What one record after the other has to be: written in the journal's own way, and later than the one before. */
import type { TypedRecord } from "@femtoclaw/protocol";
import { encodeRecord } from "./record.ts";
import type { StoredRecord } from "./store.ts";

export class RecordOrder {
  readonly #boots = new Set<string>();
  #previous: TypedRecord | null = null;

  get boots(): number {
    return this.#boots.size;
  }

  /** Takes the next record; says what is wrong with it, if anything. */
  fault(stored: StoredRecord, record: TypedRecord): string | undefined {
    const fault = encodingFault(stored, record) ?? this.#orderFault(record);
    this.#boots.add(record.boot);
    this.#previous = record;
    return fault;
  }

  #orderFault(record: TypedRecord): string | undefined {
    if (this.#previous?.boot === record.boot) {
      return record.mono_us < this.#previous.mono_us ? "the record is older than the one before it" : undefined;
    }
    return this.#boots.has(record.boot) ? "the boot of the record had ended before" : undefined;
  }
}

/** Two texts may mean the same record; only one of them is what the journal writes. */
function encodingFault(stored: StoredRecord, record: TypedRecord): string | undefined {
  return encodeRecord(record).equals(stored.bytes) ? undefined : "the record is not written in the journal's own way";
}
