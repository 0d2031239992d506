/** A quantity measured round by round, and the row that its samples become. */
import { type Aim, type JudgedAim, judged } from "./aim.ts";
import { median, rounded } from "./quantiles.ts";

export interface Sample {
  readonly value: number;
  /** CPU time of all threads per counted item; null if it cannot be known. */
  readonly cpuUs: number | null;
}

/** The quantity, and the circumstances of its measurement. */
export interface Subject {
  readonly preset: string;
  readonly measure: string;
  readonly unit:
    | "records/s"
    | "events/s"
    | "calls/s"
    | "us"
    | "us/record"
    | "us/execution"
    | "ms"
    | "MB"
    | "B"
    | "%"
    | "kills";
  /** Set for a host of a built executable; absent for one from the sources, or without a host. */
  readonly surface?: "executable";
  /** Records in the journal. */
  readonly records?: number;
  /** Threads that check records, beside the one that reads them. */
  readonly threads?: number;
  /** Rules of the policy, those of the floor included. */
  readonly rules?: number;
  /** Concurrent calls. */
  readonly callers?: number;
  /** Calls that wait for operators meanwhile. */
  readonly waiting?: number;
}

export interface MeasureRow extends Subject {
  /** Median of the rounds, followed by the lowest and the highest of them. */
  readonly value: number;
  readonly lowest: number;
  readonly highest: number;
  readonly cpu_us: number | null;
  readonly rounds: number;
  /** The value is also given as a multiple of this, measured in the same rounds or by the yardstick of the same run. */
  readonly beside?: string;
  readonly beside_value?: number;
  readonly ratio?: number;
  readonly aims?: readonly JudgedAim[];
}

/** What a row is compared with, in its own unit. */
export type Beside = Measurement | { readonly name: string; readonly value: number };

export interface RowOptions {
  /** Circumstances that are known only after the measurement. */
  readonly circumstances?: Pick<Subject, "records" | "surface">;
  readonly beside?: Beside | undefined;
  readonly aims?: readonly Aim<"value" | "ratio" | "cpu_us">[];
}

export class Measurement {
  readonly subject: Subject;
  readonly #samples: Sample[] = [];

  constructor(subject: Subject) {
    this.subject = subject;
  }

  add(sample: Sample): void {
    this.#samples.push(sample);
  }

  /** For a sample without processor time, or whose processor time cannot be told apart. */
  addValue(value: number): void {
    this.#samples.push({ value, cpuUs: null });
  }

  row({ circumstances = {}, beside, aims = [] }: RowOptions = {}): MeasureRow {
    const values = this.#samples.map(({ value }) => value);
    const cpu = this.#samples.flatMap(({ cpuUs }) => (cpuUs === null ? [] : [cpuUs]));
    const figures = {
      value: rounded(median(values)),
      cpu_us: cpu.length === 0 ? null : rounded(median(cpu)),
      ...(beside === undefined ? {} : { ratio: rounded(median(values) / besideValue(beside)) }),
    };
    return {
      ...this.subject,
      ...circumstances,
      ...figures,
      lowest: rounded(Math.min(...values)),
      highest: rounded(Math.max(...values)),
      rounds: values.length,
      ...(beside === undefined ? {} : { beside: besideName(beside), beside_value: rounded(besideValue(beside)) }),
      ...(aims.length === 0 ? {} : { aims: judged(aims, figures) }),
    };
  }

  get median(): number {
    return median(this.#samples.map(({ value }) => value));
  }
}

function besideValue(beside: Beside): number {
  return beside instanceof Measurement ? beside.median : beside.value;
}

function besideName(beside: Beside): string {
  return beside instanceof Measurement ? beside.subject.measure : beside.name;
}
