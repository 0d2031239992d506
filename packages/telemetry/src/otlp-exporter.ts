/**
 * Sends the journal's records as OpenTelemetry spans, at least once: it reads from a stored cursor and
 * moves it only after the receiver has accepted a batch. It never stands between a caller and the journal.
 */

import type { JournalReader } from "@femtoclaw/journal";
import { errorText, type TypedRecord, VERSION } from "@femtoclaw/protocol";
import { SpanStatusCode, type TimeInput } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { type ReadableSpan, type SpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { loadCursor, storeCursor } from "./cursor.ts";
import { type SpanFacts, spanFacts } from "./span-facts.ts";

export interface ExportSource {
  readonly reader: JournalReader;
  readonly stateDirectory: string;
  /** Number of durable records. */
  size(): number;
  onChange(state: "exporting" | "degraded", cursor: number, reason?: string): void;
}

/** LIMIT: records in one request to the receiver. */
const BATCH_RECORDS = 512;
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 30_000;
const REQUEST_TIMEOUT_MS = 5_000;

export class OtlpExporter {
  readonly kind = "otlp";
  readonly #exporter: OTLPTraceExporter;
  readonly #spans: SpanFactory;
  #source: ExportSource | null = null;
  #cursor = 0;
  #retryMs = RETRY_MIN_MS;
  #timer: NodeJS.Timeout | null = null;
  #busy: Promise<void> | null = null;
  #stopping = false;
  #degraded = false;

  constructor(options: { readonly endpoint: string }) {
    this.#exporter = new OTLPTraceExporter({
      url: `${options.endpoint.replace(/\/+$/, "")}/v1/traces`,
      timeoutMillis: REQUEST_TIMEOUT_MS,
    });
    this.#spans = new SpanFactory();
  }

  /** Loads the cursor and begins; resolves with the next sequence number to send. */
  async start(source: ExportSource): Promise<number> {
    this.#source = source;
    this.#cursor = Math.min(loadCursor(source.stateDirectory), source.size());
    this.wake();
    return this.#cursor;
  }

  /** Says that records were committed; sending happens soon after, in batches. */
  wake(): void {
    if (this.#timer !== null || this.#busy !== null || this.#stopping) return;
    this.#schedule(this.#degraded ? this.#retryMs : 0);
  }

  /** Sends what is left within the time, then stops; what did not go out goes out after the next start. */
  async stop(deadlineMs: number): Promise<number> {
    this.#stopping = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const deadline = new Promise<void>((resolve) => {
      setTimeout(resolve, deadlineMs).unref();
    });
    await Promise.race([this.#drain(), deadline]);
    // What is still under way may reach the receiver, but has no journal and no cursor to go back to.
    this.#source = null;
    await Promise.race([this.#exporter.shutdown(), deadline]);
    return this.#cursor;
  }

  async #drain(): Promise<void> {
    await this.#busy;
    while (!this.#degraded && this.#source !== null && this.#cursor < this.#source.size()) await this.#sendBatch();
  }

  #schedule(delayMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#busy = this.#sendBatch().finally(() => {
        this.#busy = null;
        if (this.#source !== null && this.#cursor < this.#source.size()) this.wake();
      });
    }, delayMs);
    this.#timer.unref();
  }

  async #sendBatch(): Promise<void> {
    const source = this.#source;
    if (source === null) return;
    try {
      const { spans, next } = await this.#read(source);
      if (spans.length > 0) await this.#export(spans);
      if (this.#source === null) return;
      this.#cursor = next;
      storeCursor(source.stateDirectory, next);
      this.#retryMs = RETRY_MIN_MS;
      if (this.#degraded) {
        this.#degraded = false;
        source.onChange("exporting", next);
      }
    } catch (error) {
      if (this.#source === null) return;
      if (this.#degraded) this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
      else source.onChange("degraded", this.#cursor, errorText(error));
      this.#degraded = true;
    }
  }

  async #read(source: ExportSource): Promise<{ spans: ReadableSpan[]; next: number }> {
    const records: TypedRecord[] = [];
    // What was pruned before it went out is not there to go out any more.
    const from = Math.max(this.#cursor, await source.reader.prunedBefore());
    for await (const record of source.reader.readFrom(from)) {
      records.push(record);
      if (records.length === BATCH_RECORDS) break;
    }
    const intents = await this.#intents(source.reader, records);
    const facts = records.map((record) => spanFacts(record, (seq) => intents.get(seq)));
    return {
      spans: this.#spans.make(facts.filter((fact) => fact !== undefined)),
      next: from + records.length,
    };
  }

  /** Intents of the batch's outcomes, wherever in the journal they stand. */
  async #intents(
    reader: JournalReader,
    records: readonly TypedRecord[],
  ): Promise<Map<number, { tool: string; receivedUs: number }>> {
    const intents = new Map<number, { tool: string; receivedUs: number }>();
    const keep = (record: TypedRecord): void => {
      if (record.type !== "execution.intent") return;
      intents.set(record.seq, { tool: record.body.tool, receivedUs: record.body.received_us });
    };
    const prunedBefore = await reader.prunedBefore();
    for (const record of records) keep(record);
    for (const record of records) {
      if (record.type !== "execution.outcome" || intents.has(record.body.intent)) continue;
      if (record.body.intent < prunedBefore) continue;
      for await (const earlier of reader.readFrom(record.body.intent)) {
        keep(earlier);
        break;
      }
    }
    return intents;
  }

  async #export(spans: ReadableSpan[]): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#exporter.export(spans, ({ code, error }) => {
        if (code === 0) resolve();
        else reject(error ?? new Error("the receiver did not accept the spans"));
      });
    });
  }
}

/** Makes finished spans with identifiers of our own; the SDK asks for them while a span starts. */
class SpanFactory {
  readonly #finished: ReadableSpan[] = [];
  readonly #tracer;
  #next: SpanFacts | null = null;

  constructor() {
    const collector: SpanProcessor = {
      onStart: () => undefined,
      onEnd: (span) => {
        this.#finished.push(span);
      },
      forceFlush: async () => undefined,
      shutdown: async () => undefined,
    };
    const provider = new TracerProvider({
      resource: resourceFromAttributes({ "service.name": "femtoclaw", "service.version": VERSION }),
      idGenerator: {
        generateTraceId: () => this.#next?.traceId ?? "",
        generateSpanId: () => this.#next?.spanId ?? "",
      },
      spanProcessors: [collector],
    });
    this.#tracer = provider.getTracer("femtoclaw", VERSION);
  }

  make(facts: readonly SpanFacts[]): ReadableSpan[] {
    for (const fact of facts) {
      this.#next = fact;
      const span = this.#tracer.startSpan(fact.name, {
        root: true,
        startTime: time(fact.startUs),
        attributes: fact.attributes,
      });
      if (fact.failed) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end(time(fact.endUs));
    }
    return this.#finished.splice(0);
  }
}

function time(us: number): TimeInput {
  return [Math.floor(us / 1_000_000), Math.round(us % 1_000_000) * 1000];
}
