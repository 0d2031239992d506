/** One thing that is measured round by round, and the row that its samples become. */
import { median, rounded } from "./quantiles.ts";

export interface Sample {
  readonly value: number;
  /** CPU time for one of what is counted, all threads together; null where it cannot be told. */
  readonly cpuUs: number | null;
}

/** What is measured, and under which circumstances. */
export interface Subject {
  readonly preset: "journal" | "policy" | "sandbox" | "startup";
  readonly measure: string;
  readonly unit: "records/s" | "events/s" | "calls/s" | "us" | "us/record" | "ms" | "MB" | "%";
  /** Records in the journal. */
  readonly records?: number;
  /** Threads that check records beside the one that reads them. */
  readonly threads?: number;
  /** Rules of the policy, those of the floor included. */
  readonly rules?: number;
  /** Calls at once. */
  readonly callers?: number;
}

export interface MeasureRow extends Subject {
  /** Median of the rounds, and the spread of all of them. */
  readonly value: number;
  readonly lowest: number;
  readonly highest: number;
  readonly cpu_us: number | null;
  readonly rounds: number;
  /** The value as a multiple of what the same work costs without FemtoClaw, measured in the same rounds. */
  readonly ratio?: number;
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

  /** `circumstances` were known only once it had been measured. */
  row(circumstances: Pick<Subject, "records"> = {}, yardstick?: Measurement): MeasureRow {
    const values = this.#samples.map(({ value }) => value);
    const cpu = this.#samples.flatMap(({ cpuUs }) => (cpuUs === null ? [] : [cpuUs]));
    return {
      ...this.subject,
      ...circumstances,
      value: rounded(median(values)),
      lowest: rounded(Math.min(...values)),
      highest: rounded(Math.max(...values)),
      cpu_us: cpu.length === 0 ? null : rounded(median(cpu)),
      rounds: values.length,
      ...(yardstick === undefined ? {} : { ratio: rounded(median(values) / yardstick.#median) }),
    };
  }

  get #median(): number {
    return median(this.#samples.map(({ value }) => value));
  }
}
