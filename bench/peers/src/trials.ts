/** The systems of a run. One that cannot be measured is left out from then on, with the reason. */
import { NEEDS, type Need } from "./needs.ts";
import { SYSTEMS, type SystemName } from "./systems.ts";

export interface Missing {
  readonly system: SystemName;
  readonly why: string;
}

export class Trials {
  readonly #names: readonly SystemName[];
  readonly #missing = new Map<SystemName, string>();
  readonly #onProgress: (text: string) => void;

  /** Tries to meet the needs of the systems. */
  constructor(names: readonly SystemName[], onProgress: (text: string) => void) {
    this.#names = names;
    this.#onProgress = onProgress;
    const unmet = new Map<Need, string | null>();
    for (const name of names) {
      for (const need of SYSTEMS[name].needs) {
        if (!unmet.has(need)) unmet.set(need, NEEDS[need]());
        const why = unmet.get(need);
        if (typeof why === "string" && !this.#missing.has(name)) this.#missing.set(name, why);
      }
    }
  }

  get missing(): Missing[] {
    return [...this.#missing].map(([system, why]) => ({ system, why }));
  }

  async each(isForwards: boolean, what: string, run: (name: SystemName) => Promise<void>): Promise<void> {
    const order = isForwards ? this.#names : this.#names.toReversed();
    for (const name of order.filter((other) => !this.#missing.has(other))) {
      this.#onProgress(`${what}: ${name}`);
      try {
        await run(name);
      } catch (error) {
        this.#missing.set(name, error instanceof Error ? error.message : String(error));
      }
    }
  }
}
