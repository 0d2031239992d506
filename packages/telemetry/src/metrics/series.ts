/** Numbers by the values of their labels. Durations are whole microseconds, so that sums do not depend on an order. */
import { BOUNDS_US } from "./catalogue.ts";

export interface Histogram {
  /** One more than there are bounds: the last is for what is beyond all of them. */
  readonly buckets: readonly number[];
  readonly count: number;
  readonly sumUs: number;
}

export interface Point<T> {
  readonly labels: readonly string[];
  readonly value: T;
}

export class CounterSeries {
  readonly #values = new Map<string, number>();

  add(labels: readonly string[], amount = 1): void {
    const key = JSON.stringify(labels);
    this.#values.set(key, (this.#values.get(key) ?? 0) + amount);
  }

  /** In the order of their labels, whatever the order in which they came. */
  get points(): Point<number>[] {
    return sorted(this.#values).map(([key, value]) => ({ labels: JSON.parse(key) as string[], value }));
  }
}

export class HistogramSeries {
  readonly #values = new Map<string, { buckets: number[]; count: number; sumUs: number }>();

  observe(labels: readonly string[], us: number): void {
    this.merge(labels, { buckets: BUCKETS.map((_, index) => (index === bucketOf(us) ? 1 : 0)), count: 1, sumUs: us });
  }

  merge(labels: readonly string[], { buckets, count, sumUs }: Histogram): void {
    const key = JSON.stringify(labels);
    const before = this.#values.get(key);
    if (before === undefined) {
      this.#values.set(key, { buckets: [...buckets], count, sumUs });
      return;
    }
    before.count += count;
    before.sumUs += sumUs;
    for (const [index, amount] of buckets.entries()) before.buckets[index] = (before.buckets[index] ?? 0) + amount;
  }

  get points(): Point<Histogram>[] {
    return sorted(this.#values).map(([key, value]) => ({
      labels: JSON.parse(key) as string[],
      value: { ...value, buckets: [...value.buckets] },
    }));
  }
}

const BUCKETS = [...BOUNDS_US, Number.POSITIVE_INFINITY];

function bucketOf(us: number): number {
  return BUCKETS.findIndex((bound) => us <= bound);
}

function sorted<T>(values: ReadonlyMap<string, T>): [string, T][] {
  return [...values].sort(([left], [right]) => (left < right ? -1 : 1));
}
