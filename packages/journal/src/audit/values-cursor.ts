/**
 * Finds the values of single records in the values file of an export. The file is in the order of the records, so
 * reading values in that order reads it once, and asking for an earlier record starts again from the top.
 */
import type { StoredValue } from "./log-source.ts";

export class ValuesCursor {
  readonly #open: () => AsyncIterable<StoredValue>;
  #values: AsyncIterator<StoredValue> | null = null;
  /** The value that was read last but not asked for yet. */
  #next: StoredValue | null = null;
  #record = -1;
  #found = new Map<number, Uint8Array>();

  constructor(open: () => AsyncIterable<StoredValue>) {
    this.#open = open;
  }

  /**
   * What opens each commitment of the record, by the commitment's index. Values that the file lacks are missing from
   * the map.
   */
  async of(seq: number): Promise<ReadonlyMap<number, Uint8Array>> {
    if (seq === this.#record) return this.#found;
    if (this.#values === null || seq < this.#record) await this.#restart();
    this.#record = seq;
    this.#found = new Map();
    while (this.#next !== null && this.#next.seq <= seq) {
      if (this.#next.seq === seq) this.#found.set(this.#next.index, this.#next.bytes);
      await this.#advance();
    }
    return this.#found;
  }

  async close(): Promise<void> {
    await this.#values?.return?.();
    this.#values = null;
  }

  async #restart(): Promise<void> {
    await this.close();
    this.#values = this.#open()[Symbol.asyncIterator]();
    await this.#advance();
  }

  async #advance(): Promise<void> {
    const result = await this.#values?.next();
    this.#next = result === undefined || result.done === true ? null : result.value;
  }
}
