/**
 * All telemetry of a host: spans and log lines made from its records, and metrics folded from them. It reads the
 * journal and newly durable records, and never stands between a caller and the journal.
 */
import type { TypedRecord } from "@femtoclaw/protocol";
import type { Batch } from "./batch.ts";
import type { RecordSignal } from "./cursor.ts";
import { logFacts } from "./log-facts.ts";
import { type Collected, Metrics, type MetricsSource, type SignalCount } from "./metrics/metrics.ts";
import { prometheusText } from "./metrics/prometheus-text.ts";
import { MetricsSender } from "./metrics-sender.ts";
import { logsPayload, metricsPayload, SpanFactory } from "./otlp-data.ts";
import type { Signal } from "./otlp-request.ts";
import { type Payload, RecordSender } from "./record-sender.ts";
import { SignalHealth } from "./signal-health.ts";
import { spanFacts } from "./span-facts.ts";

export interface TelemetryOptions {
  /** Where telemetry is sent; null if metrics are only to be fetched. */
  readonly endpoint: string | null;
  /** The signals that are sent there. */
  readonly signals?: readonly Signal[];
  readonly metricsIntervalMs?: number;
}

export interface TelemetrySource extends MetricsSource {
  onChange(state: "exporting" | "degraded", cursor: number, reason?: string): void;
}

/** The state of one signal. */
export interface SignalStatus {
  readonly signal: Signal;
  /** Records not yet sent; null for metrics, which are cumulative. */
  readonly lag: number | null;
  /** Items that the collector has rejected since this process began. */
  readonly rejected: number;
  readonly problem: string | null;
}

const SIGNALS: readonly Signal[] = ["traces", "logs", "metrics"];

export class Telemetry {
  readonly kind: "otlp" | "none";
  readonly #metrics = new Metrics();
  readonly #health: readonly SignalHealth[];
  readonly #senders = new Map<Signal, RecordSender>();
  readonly #metricsSender: MetricsSender | null = null;
  #source: TelemetrySource | null = null;
  #degraded = false;

  constructor({ endpoint, signals = SIGNALS, metricsIntervalMs }: TelemetryOptions) {
    this.kind = endpoint === null ? "none" : "otlp";
    const wanted = endpoint === null ? [] : SIGNALS.filter((signal) => signals.includes(signal));
    this.#health = wanted.map((signal) => new SignalHealth(signal, () => this.#tell()));
    let spans: SpanFactory | null = null;
    const payloads: Readonly<Record<RecordSignal, (batch: Batch, log: string) => Payload | null>> = {
      traces: ({ records, before }, log) => {
        spans ??= new SpanFactory(log);
        return spans.payload(records.flatMap((record) => spanFacts(record, before) ?? []));
      },
      logs: ({ records, before }, log) =>
        logsPayload(
          records.flatMap((record) => logFacts(record, before) ?? []),
          log,
        ),
    };
    for (const health of this.#health) {
      const { signal } = health;
      const common = { endpoint: endpoint ?? "", health };
      if (signal === "metrics") {
        this.#metricsSender = new MetricsSender({
          ...common,
          collect: () => this.#collect(),
          payload: metricsPayload,
          ...(metricsIntervalMs === undefined ? {} : { intervalMs: metricsIntervalMs }),
        });
      } else {
        this.#senders.set(signal, new RecordSender({ ...common, signal, payload: payloads[signal] }));
      }
    }
  }

  /** Loads the cursors and begins; resolves with the sequence number of the next record to send as a span. */
  async start(source: TelemetrySource): Promise<number> {
    this.#source = source;
    this.#metrics.start(source);
    this.#metricsSender?.start();
    for (const sender of this.#senders.values()) sender.start(source);
    return this.#cursor;
  }

  /** Announces committed records. */
  wake(committed: readonly TypedRecord[]): void {
    for (const sender of this.#senders.values()) sender.wake();
    this.#metrics.take(committed);
  }

  /** Sends what is left within the time, then stops; the rest is sent after the next start. */
  async stop(deadlineMs: number): Promise<number> {
    const deadline = new Promise<void>((resolve) => {
      setTimeout(resolve, deadlineMs).unref();
    });
    const senders = [...this.#senders.values()];
    const flushed = Promise.all([...senders.map((sender) => sender.flush()), this.#metricsSender?.flush()]);
    await Promise.race([flushed, deadline]);
    const cursor = this.#cursor;
    this.#source = null;
    for (const sender of senders) sender.stop();
    this.#metricsSender?.stop();
    await Promise.race([this.#metrics.stop(), deadline]);
    return cursor;
  }

  get status(): readonly SignalStatus[] {
    return this.#health.map(({ signal, rejectedItems, problem }) => {
      return { signal, lag: this.#senders.get(signal)?.lag ?? null, rejected: rejectedItems, problem };
    });
  }

  /** The metrics as text for Prometheus; null while they would be too small. */
  prometheus(): string | null {
    const collected = this.#collect();
    return collected === null ? null : prometheusText(collected);
  }

  get #cursor(): number {
    return Math.min(...[...this.#senders.values()].map(({ next }) => next), this.#source?.size() ?? 0);
  }

  #collect(): Collected | null {
    const counts = this.status.map(({ signal, lag, rejected }): SignalCount => ({ signal, lag, rejected }));
    return this.#metrics.collect(counts);
  }

  /** A single signal that does not get through makes the whole degraded. */
  #tell(): void {
    const bad = this.#health.filter(({ problem }) => problem !== null);
    if (bad.length > 0 === this.#degraded) return;
    this.#degraded = bad.length > 0;
    const reason = bad.map(({ signal, problem }) => `${signal}: ${problem}`).join("; ");
    if (this.#degraded) this.#source?.onChange("degraded", this.#cursor, reason);
    else this.#source?.onChange("exporting", this.#cursor);
  }
}
