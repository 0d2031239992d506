/** Reads a log in pages that fit into one answer, and finds the summary with which its newest part begins. */
import { decodeAt, type JournalReader } from "@femtoclaw/journal";
import type { RecordPage, TypedRecord } from "@femtoclaw/protocol";
import { FrameProjection } from "./frame-projection.ts";
import type { Summary } from "./frames.ts";
import { CHARTS } from "./generated/charts.ts";
import { summaryOf } from "./summary.ts";

export type PagedLog = Pick<
  JournalReader,
  "size" | "read" | "readStored" | "snapshots" | "snapshotAt" | "oldestSnapshot" | "prunedBefore"
>;

/** LIMIT: records and bytes of one page, so that a slow reader costs no more than one page. */
const PAGE_RECORDS = 512;
const PAGE_BYTES = 1_048_576;

/** LIMIT: newest records shown. A journal has millions of records, which a page could not all hold in memory. */
const SHOWN_RECORDS = 32_768;

export class RecordPages {
  readonly #log: PagedLog;

  /** The log may grow while it is read. */
  constructor(log: PagedLog) {
    this.#log = log;
  }

  /** The state before the newest records; null if all records are shown. */
  async summary(): Promise<Summary | null> {
    const prunedBefore = await this.#log.prunedBefore();
    const begin = this.#log.size - SHOWN_RECORDS;
    if (begin <= 0 && prunedBefore === 0) return null;
    for (const seq of (await this.#log.snapshots()).toReversed()) {
      if (seq >= begin || seq < prunedBefore) continue;
      const snapshot = await this.#log.snapshotAt(seq);
      if (snapshot !== null) return summaryOf(snapshot);
    }
    return await this.#folded(begin);
  }

  /** Used if there is no snapshot at the right place, as in an export, which has only the newest. */
  async #folded(begin: number): Promise<Summary | null> {
    const oldest = (await this.#log.prunedBefore()) === 0 ? null : await this.#log.oldestSnapshot();
    const projection = new FrameProjection(CHARTS, oldest === null ? null : summaryOf(oldest));
    for await (const record of this.#log.read(projection.size, Math.max(begin, projection.size))) {
      projection.apply(record);
    }
    return projection.size === 0 ? null : projection.summary();
  }

  async from(seq: number): Promise<RecordPage> {
    const { size } = this.#log;
    const records: TypedRecord[] = [];
    let bytes = 0;
    if (seq < size) {
      for await (const stored of this.#log.readStored(seq, Math.min(seq + PAGE_RECORDS, size))) {
        records.push(decodeAt(stored));
        bytes += stored.bytes.length;
        if (bytes >= PAGE_BYTES) break;
      }
    }
    return { size, records };
  }
}
