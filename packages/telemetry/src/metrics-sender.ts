/** Sends metrics at intervals. They are cumulative, so the next request makes up for one that was lost. */
import type { Collected } from "./metrics/metrics.ts";
import { NotAccepted, sendOtlp } from "./otlp-request.ts";
import type { Payload } from "./record-sender.ts";
import type { SignalHealth } from "./signal-health.ts";

const INTERVAL_MS = 15_000;
/** LIMIT: the longest pause that a collector can ask for. */
const RETRY_ASKED_MAX_MS = 300_000;

export interface MetricsSenderOptions {
  readonly endpoint: string;
  readonly health: SignalHealth;
  /** Null while the values would be wrong. */
  collect(): Collected | null;
  payload(collected: Collected): Payload | null;
  readonly intervalMs?: number;
}

export class MetricsSender {
  readonly #options: MetricsSenderOptions;
  readonly #stopped = new AbortController();
  #timer: NodeJS.Timeout | null = null;
  #busy: Promise<void> | null = null;

  constructor(options: MetricsSenderOptions) {
    this.#options = options;
  }

  start(): void {
    this.#after(this.#options.intervalMs ?? INTERVAL_MS);
  }

  /** Sends the final values. */
  async flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#busy;
    if (this.#options.health.problem === null) await this.#send();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#stopped.abort();
  }

  #after(ms: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#busy = this.#send().then((pauseMs) => {
        this.#busy = null;
        if (!this.#stopped.signal.aborted) this.#after(Math.max(pauseMs, this.#options.intervalMs ?? INTERVAL_MS));
      });
    }, ms);
    this.#timer.unref();
  }

  /** Resolves with the pause for which the collector asks. */
  async #send(): Promise<number> {
    const { endpoint, health, collect, payload } = this.#options;
    try {
      const collected = collect();
      const sent = collected === null ? null : payload(collected);
      if (sent === null) return 0;
      const rejection = await sendOtlp({ endpoint, signal: "metrics", ...sent, signalToStop: this.#stopped.signal });
      if (rejection === null) health.accepted();
      else health.rejected(rejection);
      return 0;
    } catch (error) {
      if (!this.#stopped.signal.aborted) health.failed(error);
      const asked = error instanceof NotAccepted ? (error.retryAfterMs ?? 0) : 0;
      return Math.min(asked, RETRY_ASKED_MAX_MS);
    }
  }
}
