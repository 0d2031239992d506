/**
 * Supplies a verification with the leaves of pruned records. They are taken from the tiles, and the checkpoints above
 * vouch for them. Whether an operator ordered the pruning is for a record to tell.
 */
import type { TypedRecord } from "@femtoclaw/protocol";
import type { StoredRecord } from "../store/store.ts";
import { hashesOf, TILE_WIDTH } from "../tree/tiles.ts";
import { type LogSource, MissingPart } from "./log-source.ts";
import type { ValueFault } from "./verify-values.ts";

/** The leaf hash of a record, in place of the record itself. */
export interface PrunedLeaf {
  readonly seq: number;
  readonly leaf: Uint8Array;
}

export class PrunedLeaves {
  readonly #source: LogSource;
  /** The number below which the source claims that records were pruned. */
  readonly before: number;
  /** The number below which records were pruned according to the log itself. */
  #recorded = 0;
  #first: number | null = null;
  #end = 0;

  constructor(source: LogSource, before: number) {
    this.#source = source;
    this.before = before;
  }

  /** The records, with leaves in place of those that were pruned. */
  fill(records: AsyncIterable<StoredRecord>): AsyncIterable<StoredRecord | PrunedLeaf> {
    return this.before === 0 ? records : this.#filled(records);
  }

  async *#filled(records: AsyncIterable<StoredRecord>): AsyncGenerator<StoredRecord | PrunedLeaf> {
    let next = 0;
    for await (const stored of records) {
      yield* this.#upTo(next, stored.seq);
      yield stored;
      next = stored.seq + 1;
    }
  }

  async *#upTo(from: number, to: number): AsyncGenerator<PrunedLeaf> {
    const end = Math.min(to, this.before);
    let tile: readonly Uint8Array[] = [];
    for (let seq = from; seq < end; seq += 1) {
      if (seq === from || seq % TILE_WIDTH === 0) tile = await this.#tile(Math.floor(seq / TILE_WIDTH));
      const leaf = tile[seq % TILE_WIDTH];
      if (leaf === undefined) throw new MissingPart(seq, `the hash of the pruned record ${seq} is missing`);
      this.#first ??= seq;
      this.#end = seq + 1;
      yield { seq, leaf };
    }
  }

  record(record: TypedRecord): void {
    if (record.type === "log.pruned") this.#recorded = Math.max(this.#recorded, record.body.before);
  }

  /** The fault of records that are missing although no record tells that they were pruned. */
  get fault(): ValueFault | undefined {
    if (this.#first === null || this.#end <= this.#recorded) return undefined;
    const reason = `records below ${this.#end} are missing, and no record tells that they were pruned`;
    return { seq: this.#first, reason };
  }

  /** Why the verdict cannot cover the whole log. */
  get missing(): MissingPart | null {
    if (this.#first === null) return null;
    const reason = `history pruned: records below ${this.before} are gone, and their hashes are in the signed tree`;
    return new MissingPart(this.#first, reason);
  }

  async #tile(index: number): Promise<readonly Uint8Array[]> {
    const bytes = await this.#source.tile(0, index);
    return bytes === null ? [] : (hashesOf(bytes) ?? []);
  }
}
