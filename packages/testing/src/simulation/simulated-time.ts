/** Time that passes only when the simulation says so, in turns of the event loop. */
import { setImmediate } from "node:timers/promises";
import type { Clock } from "@femtoclaw/journal";

interface Timer {
  readonly dueUs: number;
  readonly callback: () => void;
}

export class SimulatedTime {
  #nowUs = 0;
  #timers: Timer[] = [];
  /** How far the wall clock is off; people and daemons set it, also backwards. */
  wallOffsetUs = 1_700_000_000_000_000;

  /** The clock of a boot that begins now. */
  clock(): Clock {
    const startUs = this.#nowUs;
    return {
      nowUs: () => this.#nowUs + this.wallOffsetUs,
      monotonicUs: () => this.#nowUs - startUs,
      after: (delayMs, callback) => this.#after(delayMs * 1_000, callback),
    };
  }

  /** Lets time pass and calls the timers that fall due, in order. */
  advance(us: number): void {
    const untilUs = this.#nowUs + us;
    for (let timer = this.#next(); timer !== undefined && timer.dueUs <= untilUs; timer = this.#next()) {
      this.#nowUs = timer.dueUs;
      this.#cancel(timer);
      timer.callback();
    }
    this.#nowUs = untilUs;
  }

  /** Lets time pass until a timer falls due; false if there is none. */
  advanceToNext(): boolean {
    const timer = this.#next();
    if (timer !== undefined) this.advance(timer.dueUs - this.#nowUs);
    return timer !== undefined;
  }

  /** Cancels all timers. */
  forget(): void {
    this.#timers = [];
  }

  #after(delayUs: number, callback: () => void): () => void {
    const timer = { dueUs: this.#nowUs + delayUs, callback };
    this.#timers.push(timer);
    return () => this.#cancel(timer);
  }

  #cancel(timer: Timer): void {
    this.#timers = this.#timers.filter((other) => other !== timer);
  }

  /** The earliest timer; of several that fall due together, the one that was set first. */
  #next(): Timer | undefined {
    return this.#timers.reduce<Timer | undefined>(
      (first, timer) => (first === undefined || timer.dueUs < first.dueUs ? timer : first),
      undefined,
    );
  }
}

/** Lets everything that is ready proceed, for so many turns. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await setImmediate();
}
