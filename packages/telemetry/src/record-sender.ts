/**
 * Sends one signal's part of the records, at least once: it reads from a stored cursor, and moves the cursor only after
 * the collector has accepted a batch. What it cannot send stays in the journal, so nothing is buffered and nothing
 * lost.
 */
import type { JournalReader } from "@femtoclaw/journal";
import { type Batch, readBatch } from "./batch.ts";
import { type Cursor, loadCursor, type RecordSignal, storeCursor } from "./cursor.ts";
import { NotAccepted, sendOtlp } from "./otlp-request.ts";
import type { SignalHealth } from "./signal-health.ts";

/** LIMIT: milliseconds to wait after a failure, doubled each time. A collector may ask for more. */
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 30_000;
const RETRY_ASKED_MAX_MS = 300_000;

export interface Payload {
  readonly body: Uint8Array;
  readonly count: number;
}

export interface SenderOptions {
  readonly endpoint: string;
  readonly signal: RecordSignal;
  readonly health: SignalHealth;
  /** Null if the batch contains nothing for this signal. */
  payload(batch: Batch, log: string): Payload | null;
}

export interface SenderSource {
  readonly reader: JournalReader;
  readonly stateDirectory: string;
  /** Name of the log. */
  readonly log: string;
  size(): number;
}

export class RecordSender {
  readonly #options: SenderOptions;
  readonly #stopped = new AbortController();
  #source: SenderSource | null = null;
  #cursor: Cursor = { next: 0, version: null };
  #retryMs = RETRY_MIN_MS;
  #waitMs = 0;
  #timer: NodeJS.Timeout | null = null;
  #busy: Promise<void> | null = null;
  #stopping = false;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** Number of records not yet read for this signal. */
  get lag(): number {
    return Math.max(0, (this.#source?.size() ?? 0) - this.#cursor.next);
  }

  get next(): number {
    return this.#cursor.next;
  }

  /** Loads the cursor and begins. */
  start(source: SenderSource): void {
    const { next, version } = loadCursor(source.stateDirectory, this.#options.signal);
    this.#source = source;
    this.#cursor = { next: Math.min(next, source.size()), version };
    this.wake();
  }

  /** Announces new records, which are sent soon after, in batches. */
  wake(): void {
    if (this.#timer !== null || this.#busy !== null || this.#stopping || this.#source === null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#busy = this.#sendBatch().finally(() => {
        this.#busy = null;
        if (this.lag > 0) this.wake();
      });
    }, this.#waitMs);
    this.#timer.unref();
  }

  /** Sends what is left, unless the collector does not accept it. Nothing more is sent afterwards. */
  async flush(): Promise<void> {
    this.#stopping = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#busy;
    while (this.#waitMs === 0 && this.lag > 0) await this.#sendBatch();
  }

  /** A request under way may still reach the collector, but its result is ignored. */
  stop(): void {
    this.#stopping = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#source = null;
    this.#stopped.abort();
  }

  async #sendBatch(): Promise<void> {
    const source = this.#source;
    if (source === null) return;
    const { endpoint, signal, health, payload } = this.#options;
    try {
      const batch = await readBatch(source.reader, this.#cursor);
      const sent = payload(batch, source.log);
      const rejection =
        sent === null ? null : await sendOtlp({ endpoint, signal, ...sent, signalToStop: this.#stopped.signal });
      if (this.#source === null) return;
      this.#cursor = batch.after;
      storeCursor(source.stateDirectory, signal, batch.after);
      this.#retryMs = RETRY_MIN_MS;
      this.#waitMs = 0;
      if (rejection !== null) health.rejected(rejection);
      else if (sent !== null) health.accepted();
    } catch (error) {
      if (this.#source === null) return;
      const asked = error instanceof NotAccepted ? (error.retryAfterMs ?? 0) : 0;
      this.#waitMs = Math.max(this.#retryMs, Math.min(asked, RETRY_ASKED_MAX_MS));
      this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
      health.failed(error);
    }
  }
}
