/**
 * Checks the values kept beside the records: each value against the commitment of its record, and each missing value
 * against the record of its erasure. Records are passed in from the first to the last.
 */
import type { TypedRecord } from "@femtoclaw/protocol";
import { openCommitment } from "../sealing/commitments.ts";
import type { LogSource, StoredValue } from "./log-source.ts";

export interface ValueFault {
  readonly seq: number;
  readonly reason: string;
}

export class ValueCheck {
  readonly #hasAll: boolean;
  readonly #values: AsyncIterator<StoredValue>;
  #next: StoredValue | null | undefined;
  /** Paths of the missing values, by the number of the record that commits to them. */
  readonly #missing = new Map<number, Set<string>>();
  #found = 0;
  #prunedBefore = 0;

  constructor(source: LogSource) {
    this.#hasAll = source.hasAllValues;
    this.#values = source.values()[Symbol.asyncIterator]();
  }

  /** Records below this number were pruned, so nobody can tell what they committed to. */
  pruned(before: number): void {
    this.#prunedBefore = before;
  }

  /** Takes the next record. A record that neither commits to a value nor reports an erasure may be left out. */
  async record(record: TypedRecord): Promise<ValueFault | undefined> {
    for (const [index, commitment] of (record.commitments ?? []).entries()) {
      const value = await this.#upTo(record.seq, index);
      if (value === null) {
        this.#note(record.seq, commitment.path);
        continue;
      }
      if (isBefore(value, record.seq, index)) return stray(value);
      this.#next = undefined;
      this.#found += 1;
      if (openCommitment(commitment, value.bytes) !== undefined) continue;
      const reason = `what is kept beside the record is not what it commits to at ${commitment.path}`;
      return { seq: record.seq, reason };
    }
    return record.type === "values.erased" ? this.#erased(record) : undefined;
  }

  /** The faults that show only after all records were seen. */
  async end(): Promise<ValueFault | undefined> {
    const left = await this.#peek();
    if (left !== null) return stray(left);
    const [first] = this.#hasAll ? this.#missing : [];
    if (first === undefined) return undefined;
    const [seq, paths] = first;
    return { seq, reason: `the value at ${[...paths][0]} is missing, and no record tells of its erasure` };
  }

  /** Closes what the values are read from, also when a fault ends the reading early. */
  async close(): Promise<void> {
    await this.#values.return?.();
  }

  caveats(): string[] {
    const missing = [...this.#missing.values()].reduce((sum, paths) => sum + paths.size, 0);
    if (this.#hasAll || missing === 0) return [];
    return [`${missing} values that records commit to are not part of what was given; ${this.#found} were checked`];
  }

  /** The value for this commitment, or one that precedes it and is therefore stray; null if there is neither. */
  async #upTo(seq: number, index: number): Promise<StoredValue | null> {
    const next = await this.#peek();
    return next === null || isBehind(next, seq, index) ? null : next;
  }

  async #peek(): Promise<StoredValue | null> {
    if (this.#next === undefined) {
      const { done, value } = await this.#values.next();
      this.#next = done === true ? null : value;
    }
    return this.#next;
  }

  #note(seq: number, path: string): void {
    const paths = this.#missing.get(seq) ?? new Set();
    this.#missing.set(seq, paths.add(path));
  }

  #erased({ seq, body }: TypedRecord & { readonly type: "values.erased" }): ValueFault | undefined {
    const missing = this.#missing.get(body.seq);
    if (missing === undefined && body.seq < this.#prunedBefore) return undefined;
    for (const path of body.paths) {
      // If an erased value is there again, somebody kept it in spite of the order to erase it.
      if (missing?.delete(path) !== true && this.#hasAll) {
        return { seq, reason: `the value of record ${body.seq} at ${path} is there, or never was, and was erased` };
      }
    }
    if (missing?.size === 0) this.#missing.delete(body.seq);
    return undefined;
  }
}

function isBefore(value: StoredValue, seq: number, index: number): boolean {
  return value.seq < seq || (value.seq === seq && value.index < index);
}

function isBehind(value: StoredValue, seq: number, index: number): boolean {
  return value.seq > seq || (value.seq === seq && value.index > index);
}

function stray({ seq }: StoredValue): ValueFault {
  return { seq, reason: "a value is kept beside the record that it does not commit to" };
}
