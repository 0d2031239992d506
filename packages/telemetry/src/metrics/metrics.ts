/** The metrics of a running host: folded as records become durable, and collected when somebody asks. */
import type { JournalReader } from "@femtoclaw/journal";
import { errorText, type TypedRecord } from "@femtoclaw/protocol";
import { told } from "../record-identity.ts";
import { FOLDED, type FoldedMetric, LIVE, type MetricDefinition } from "./catalogue.ts";
import { loadFolded, storeFolded } from "./folded-file.ts";
import { MetricFold } from "./metric-fold.ts";
import { type Histogram, HistogramSeries, type Point } from "./series.ts";

/** Current values that only the runtime knows. */
export interface Gauges {
  readonly ready: boolean;
  readonly running: number;
  readonly queued: number;
  readonly unresolved: number;
  readonly waiting: number;
  readonly sessions: number;
  readonly terminals: number;
  readonly freeBytes: number | null;
  readonly journalBytes: number | null;
}

export interface MetricsSource {
  readonly reader: JournalReader;
  readonly stateDirectory: string;
  /** Name of the log. */
  readonly log: string;
  size(): number;
  nowUs(): number;
  /** The clock by which records are stamped. */
  monotonicUs(): number;
  gauges(): Gauges;
}

/** The state of the export of one signal. */
export interface SignalCount {
  readonly signal: string;
  /** Null for a signal without a cursor. */
  readonly lag: number | null;
  readonly rejected: number;
}

export interface Family {
  readonly definition: MetricDefinition;
  /** The time from which it counts, in microseconds. */
  readonly startUs: number;
  readonly points: readonly Point<number>[] | readonly Point<Histogram>[];
}

export interface Collected {
  /** Name of the log. */
  readonly log: string;
  readonly nowUs: number;
  readonly families: readonly Family[];
}

/** LIMIT: records after which the state is stored, and which a crash thus makes this process fold again. */
const STORE_EVERY_RECORDS = 4_096;

export class Metrics {
  #source: MetricsSource | null = null;
  #fold = new MetricFold();
  #appends = new HistogramSeries();
  #beganUs = 0;
  #stored = 0;
  #catchingUp: Promise<void> | null = null;
  #storing: Promise<void> = Promise.resolve();
  /** Whether all records from before the start are counted; until then the counters would be too small. */
  #caughtUp = false;
  #warned = false;

  /** Loads what was folded before; the remaining records are folded in the background. */
  start(source: MetricsSource): void {
    this.#source = source;
    if (this.#beganUs === 0) this.#beganUs = source.nowUs();
    this.#catchUp();
  }

  /** Takes records at the moment in which they become durable. */
  take(records: readonly TypedRecord[]): void {
    const source = this.#source;
    if (source === null) return;
    const nowUs = source.monotonicUs();
    for (const { mono_us } of records) this.#appends.observe([], Math.max(0, nowUs - mono_us));
    if (this.#catchingUp !== null) return;
    for (const record of records) this.#fold.take(record);
    if (this.#fold.next < source.size()) this.#catchUp();
    else this.#storeSometimes(source);
  }

  /** Null while records from before this start are still being counted. */
  collect(signals: readonly SignalCount[]): Collected | null {
    const source = this.#source;
    if (source === null || !this.#caughtUp) return null;
    // If the clock was set back, counters would otherwise end before they began.
    const startUs = this.#fold.startUs ?? this.#beganUs;
    const nowUs = Math.max(source.nowUs(), startUs, this.#beganUs);
    const folded = (Object.keys(FOLDED) as FoldedMetric[]).map((metric): Family => {
      const definition = FOLDED[metric];
      if (definition.kind === "histogram") return { definition, startUs, points: this.#fold.histogram(metric) };
      return { definition, startUs, points: withZeros(definition, this.#fold.counter(metric)) };
    });
    return { log: source.log, nowUs, families: [...folded, ...this.#live(source, signals)] };
  }

  async stop(): Promise<void> {
    const source = this.#source;
    this.#source = null;
    await this.#catchingUp;
    await this.#storing;
    if (source !== null && this.#caughtUp) await this.#store(source);
  }

  #live(source: MetricsSource, signals: readonly SignalCount[]): Family[] {
    const gauges = source.gauges();
    const one = (definition: MetricDefinition, value: number | null): Family => {
      return this.#liveFamily(definition, value === null ? [] : [{ labels: [], value }]);
    };
    return [
      one(LIVE.ready, gauges.ready ? 1 : 0),
      one(LIVE.bootTime, this.#beganUs / 1_000_000),
      one(LIVE.running, gauges.running),
      one(LIVE.queued, gauges.queued),
      one(LIVE.unresolved, gauges.unresolved),
      one(LIVE.waiting, gauges.waiting),
      one(LIVE.openSessions, gauges.sessions),
      one(LIVE.openTerminals, gauges.terminals),
      one(LIVE.journalRecords, source.size()),
      one(LIVE.journalBytes, gauges.journalBytes),
      one(LIVE.diskFree, gauges.freeBytes),
      this.#liveFamily(
        LIVE.lag,
        signals.flatMap(({ signal, lag }) => (lag === null ? [] : [{ labels: [signal], value: lag }])),
      ),
      this.#liveFamily(
        LIVE.rejected,
        signals.map(({ signal, rejected }) => ({ labels: [signal], value: rejected })),
      ),
      this.#liveFamily(LIVE.appendDuration, this.#appends.points),
    ];
  }

  #liveFamily(definition: MetricDefinition, points: Family["points"]): Family {
    return { definition, startUs: this.#beganUs, points };
  }

  #catchUp(): void {
    this.#catchingUp ??= this.#readOn().finally(() => {
      this.#catchingUp = null;
      // Records committed between the last look and now were not announced.
      if (this.#caughtUp && this.#fold.next < (this.#source?.size() ?? 0)) this.#catchUp();
    });
  }

  async #readOn(): Promise<void> {
    try {
      const source = this.#source;
      if (source === null) return;
      if (!this.#caughtUp) await this.#begin(source);
      while (this.#source !== null && this.#fold.next < source.size()) {
        for await (const record of source.reader.readFrom(this.#fold.next)) {
          this.#fold.take(record);
          if (this.#source === null) return;
        }
      }
      this.#caughtUp = this.#source !== null;
    } catch (error) {
      // Wrong metrics would be worse than none; the next commit tries again.
      this.#caughtUp = false;
      if (!this.#warned) process.emitWarning(`records cannot be counted: ${told(errorText(error))}`);
      this.#warned = true;
    }
  }

  /** INVARIANT: no gap is counted over: if unfolded records were pruned, counting begins anew after them. */
  async #begin({ reader, stateDirectory, log, size }: MetricsSource): Promise<void> {
    const state = await loadFolded({ stateDirectory, log, size: size() });
    const prunedBefore = await reader.prunedBefore();
    const isWhole = state !== null && state.next >= prunedBefore;
    this.#fold = isWhole ? MetricFold.from(state) : new MetricFold(prunedBefore);
    this.#stored = this.#fold.next;
  }

  #storeSometimes(source: MetricsSource): void {
    if (this.#fold.next - this.#stored < STORE_EVERY_RECORDS) return;
    this.#stored = this.#fold.next;
    this.#storing = this.#storing.then(() => this.#store(source));
  }

  /** A full disk is no fault here: without the cache, the next start just takes longer. */
  async #store({ stateDirectory, log }: MetricsSource): Promise<void> {
    const { state } = this.#fold;
    await storeFolded(stateDirectory, log, state).catch(() => undefined);
  }
}

/** Metrics without labels, or with few label values, start at 0 before anything was counted. */
function withZeros({ labels, values }: MetricDefinition, points: readonly Point<number>[]): readonly Point<number>[] {
  const wanted = labels.length === 0 ? [[]] : (values ?? []).map((value) => [value]);
  const missing = wanted.filter((own) => !points.some((point) => point.labels.join() === own.join()));
  return [...points, ...missing.map((own) => ({ labels: own, value: 0 }))];
}
