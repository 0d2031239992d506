/** Numbers by label values. Durations are whole microseconds, so that sums do not depend on their order. */
import { BOUNDS_US } from "./catalogue.ts";

export interface Histogram {
  /** One more than there are bounds: the last bucket is for values beyond all bounds. */
  readonly buckets: readonly number[];
  readonly count: number;
  readonly sumUs: number;
}

export interface Point<T> {
  readonly labels: readonly string[];
  readonly value: T;
}

/** No label contains a line end, because labels are printable. */
const SEPARATOR = "\n";

export class CounterSeries {
  readonly #points = new Map<string, { readonly labels: readonly string[]; value: number }>();

  add(labels: readonly string[], amount = 1): void {
    const key = labels.join(SEPARATOR);
    const point = this.#points.get(key);
    if (point === undefined) this.#points.set(key, { labels, value: amount });
    else point.value += amount;
  }

  /** Sorted by label values. */
  get points(): Point<number>[] {
    return sorted(this.#points).map(({ labels, value }) => ({ labels, value }));
  }
}

export class HistogramSeries {
  readonly #points = new Map<string, Counted>();

  observe(labels: readonly string[], us: number): void {
    this.#at(labels).observe(us);
  }

  merge(labels: readonly string[], histogram: Histogram): void {
    this.#at(labels).merge(histogram);
  }

  get points(): Point<Histogram>[] {
    return sorted(this.#points).map(({ labels, value }) => ({ labels, value }));
  }

  #at(labels: readonly string[]): Counted {
    const key = labels.join(SEPARATOR);
    let point = this.#points.get(key);
    if (point === undefined) {
      point = new Counted(labels);
      this.#points.set(key, point);
    }
    return point;
  }
}

class Counted {
  readonly labels: readonly string[];
  readonly #buckets = new Array<number>(BOUNDS_US.length + 1).fill(0);
  #count = 0;
  #sumUs = 0;

  constructor(labels: readonly string[]) {
    this.labels = labels;
  }

  get value(): Histogram {
    return { buckets: [...this.#buckets], count: this.#count, sumUs: this.#sumUs };
  }

  observe(us: number): void {
    const bound = BOUNDS_US.findIndex((limit) => us <= limit);
    this.#add(bound === -1 ? BOUNDS_US.length : bound, 1);
    this.#count += 1;
    this.#sumUs += us;
  }

  merge({ buckets, count, sumUs }: Histogram): void {
    for (const [index, amount] of buckets.entries()) this.#add(index, amount);
    this.#count += count;
    this.#sumUs += sumUs;
  }

  #add(index: number, amount: number): void {
    this.#buckets[index] = (this.#buckets[index] ?? 0) + amount;
  }
}

function sorted<T>(points: ReadonlyMap<string, T>): T[] {
  return [...points].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, point]) => point);
}
