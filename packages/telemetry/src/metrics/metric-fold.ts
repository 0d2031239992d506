/**
 * The metrics as a state into which records are folded. The same records give the same state, in one process or in
 * many, so a counter continues over restarts, even if the previous process had no time to write anything.
 */
import type { TypedRecord } from "@femtoclaw/protocol";
import { told, wallUsOf } from "../record-identity.ts";
import { BOUNDS_US, FOLDED, type FoldedMetric } from "./catalogue.ts";
import { type Change, changesOf, type Known } from "./changes.ts";
import { CounterSeries, type Histogram, HistogramSeries, type Point } from "./series.ts";

/** LIMIT: capabilities with a label of their own; further ones are `other`. */
const TOOLS_MAX = 256;
const OTHER = "other";

/** The state as JSON, from which another process can continue. */
export interface FoldedState {
  readonly next: number;
  readonly startUs: number | null;
  readonly version: string | null;
  readonly tools: readonly string[];
  readonly open: readonly (readonly [intent: number, tool: string])[];
  readonly counters: readonly (readonly [metric: FoldedMetric, points: readonly Point<number>[]])[];
  readonly histograms: readonly (readonly [metric: FoldedMetric, points: readonly Point<Histogram>[]])[];
}

export class MetricFold {
  readonly #counters = new Map<FoldedMetric, CounterSeries>();
  readonly #histograms = new Map<FoldedMetric, HistogramSeries>();
  readonly #tools = new Set<string>();
  readonly #open = new Map<number, string>();
  #version: string | null = null;
  #startUs: number | null = null;
  #next: number;

  /** Begins at a record, and counts nothing before it. */
  constructor(next = 0) {
    this.#next = next;
    for (const [metric, { kind }] of Object.entries(FOLDED) as [FoldedMetric, { kind: string }][]) {
      if (kind === "histogram") this.#histograms.set(metric, new HistogramSeries());
      else this.#counters.set(metric, new CounterSeries());
    }
  }

  static from(state: FoldedState): MetricFold {
    const fold = new MetricFold(state.next);
    fold.#startUs = state.startUs;
    fold.#version = state.version;
    for (const tool of state.tools) fold.#tools.add(tool);
    for (const [intent, tool] of state.open) fold.#open.set(intent, tool);
    for (const [metric, points] of state.counters) {
      for (const { labels, value } of points) fold.#counters.get(metric)?.add(labels, value);
    }
    for (const [metric, points] of state.histograms) {
      for (const { labels, value } of points) fold.#histograms.get(metric)?.merge(labels, value);
    }
    return fold;
  }

  /** The number of the next record to take. */
  get next(): number {
    return this.#next;
  }

  /** Wall clock of the first counted record in microseconds; null if there is none yet. */
  get startUs(): number | null {
    return this.#startUs;
  }

  counter(metric: FoldedMetric): readonly Point<number>[] {
    return this.#counters.get(metric)?.points ?? [];
  }

  histogram(metric: FoldedMetric): readonly Point<Histogram>[] {
    return this.#histograms.get(metric)?.points ?? [];
  }

  get state(): FoldedState {
    return {
      next: this.#next,
      startUs: this.#startUs,
      version: this.#version,
      tools: [...this.#tools].sort(),
      open: [...this.#open],
      counters: [...this.#counters].map(([metric, { points }]) => [metric, points]),
      histograms: [...this.#histograms].map(([metric, { points }]) => [metric, points]),
    };
  }

  /** INVARIANT: each record counts once and in order; any other than the next one is ignored. */
  take(record: TypedRecord): boolean {
    if (record.seq !== this.#next) return false;
    this.#next += 1;
    this.#startUs ??= wallUsOf(record);
    this.#learn(record);
    for (const change of changesOf(record, this.#known)) this.#apply(change);
    this.#forget(record);
    return true;
  }

  get #known(): Known {
    return {
      tool: (name) => (name !== null && this.#tools.has(name) ? told(name) : OTHER),
      intent: (seq) => this.#open.get(seq) ?? null,
      version: this.#version,
    };
  }

  #apply(change: Change): void {
    if ("add" in change) this.#counters.get(change.metric)?.add(change.labels, change.add);
    else this.#histograms.get(change.metric)?.observe(change.labels, change.observeUs);
  }

  #learn(record: TypedRecord): void {
    if (record.type === "registry.loaded") for (const { name } of record.body.capabilities) this.#register(name);
    if (record.type !== "execution.intent") return;
    // The record of the registry may be pruned, but what has an intent was registered.
    this.#register(record.body.tool);
    this.#open.set(record.seq, record.body.tool);
  }

  #forget(record: TypedRecord): void {
    if (record.type === "boot.started") this.#version = record.body.version;
    if (record.type === "execution.outcome" || record.type === "execution.interrupted") {
      this.#open.delete(record.body.intent);
    }
  }

  #register(name: string): void {
    if (this.#tools.size < TOOLS_MAX) this.#tools.add(name);
  }
}

/** The parsed state; null unless it is one that this version has written. */
export function parseState(value: unknown): FoldedState | null {
  if (!isRecord(value)) return null;
  const { next, startUs, version, tools, open, counters, histograms } = value;
  const isWhole =
    isCount(next) &&
    (startUs === null || isCount(startUs)) &&
    (version === null || typeof version === "string") &&
    isList(tools, (tool) => typeof tool === "string") &&
    isList(open, (entry) => isPair(entry) && isCount(entry[0]) && typeof entry[1] === "string") &&
    isList(counters, (entry) => isPair(entry) && hasPoints(entry, "counter", isCount)) &&
    isList(histograms, (entry) => isPair(entry) && hasPoints(entry, "histogram", isHistogram));
  return isWhole ? (value as unknown as FoldedState) : null;
}

function hasPoints([name, points]: readonly unknown[], kind: string, isValue: (value: unknown) => boolean): boolean {
  if (typeof name !== "string" || !Object.hasOwn(FOLDED, name)) return false;
  const { kind: wanted, labels } = FOLDED[name as FoldedMetric];
  return (
    kind === wanted &&
    isList(points, (point) => {
      if (!isRecord(point) || !isValue(point["value"])) return false;
      const given = point["labels"];
      return isList(given, (label) => typeof label === "string") && (given as unknown[]).length === labels.length;
    })
  );
}

function isHistogram(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { buckets, count, sumUs } = value;
  return isCount(count) && isCount(sumUs) && isList(buckets, isCount) && (buckets as unknown[]).length === BUCKETS;
}

const BUCKETS = BOUNDS_US.length + 1;

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;
const isPair = (value: unknown): value is readonly unknown[] => Array.isArray(value) && value.length === 2;
const isList = (value: unknown, isItem: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(isItem);
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  value !== null && typeof value === "object" && !Array.isArray(value);
