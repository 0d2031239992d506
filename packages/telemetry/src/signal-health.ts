/** Whether a collector accepts one signal, and how much of it was rejected. */
import { errorText } from "@femtoclaw/protocol";
import type { Rejection, Signal } from "./otlp-request.ts";

/**
 * LIMIT: complete acceptances after a rejection before the signal counts as healthy again. Each change is a record, and
 * a collector that rejects now and then must not fill the journal.
 */
const WHOLE_REQUESTS = 8;

export class SignalHealth {
  readonly signal: Signal;
  readonly #onChange: () => void;
  /** Why the signal does not get through; null while it does. */
  problem: string | null = null;
  /** Items that the collector has rejected since this process began. They are not sent again. */
  rejectedItems = 0;
  #wholeRequests = WHOLE_REQUESTS;

  constructor(signal: Signal, onChange: () => void) {
    this.signal = signal;
    this.#onChange = onChange;
  }

  accepted(): void {
    this.#wholeRequests += 1;
    if (this.problem !== null && this.#wholeRequests < WHOLE_REQUESTS) return;
    this.#become(null);
  }

  rejected({ count, reason }: Rejection): void {
    this.rejectedItems += count;
    this.#wholeRequests = 0;
    this.#become(`the collector rejected ${count} items: ${reason}`);
  }

  failed(error: unknown): void {
    this.#become(errorText(error));
  }

  #become(problem: string | null): void {
    const changed = (this.problem === null) !== (problem === null);
    this.problem = problem;
    if (changed) this.#onChange();
  }
}
