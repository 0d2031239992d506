/** Finds the open questions that have expired, by looking at the time again and again, and reports each of them. */
import type { Clock } from "@femtoclaw/journal";
import type { OpenCalls } from "./open-calls.ts";
import type { WaitingCall } from "./waiting-call.ts";

/** LIMIT: milliseconds between two looks at the wall clock, which somebody may have set forward. */
const LOOK_MS = 10_000;

export class Deadlines {
  readonly #clock: Clock;
  readonly #open: Pick<OpenCalls, "all" | "size">;
  readonly #onOver: (call: WaitingCall) => void;
  #cancelLook: (() => void) | null = null;

  constructor(clock: Clock, open: Pick<OpenCalls, "all" | "size">, onOver: (call: WaitingCall) => void) {
    this.#clock = clock;
    this.#open = open;
    this.#onOver = onOver;
  }

  /** INVARIANT: a clock that is set forward ends a question early; one that is set back does not prolong it. */
  isOver({ expiresUs, deadlineUs }: WaitingCall): boolean {
    return this.#clock.nowUs() >= expiresUs || this.#clock.monotonicUs() >= deadlineUs;
  }

  /** Looks again when the next deadline is due, as long as any question is open. */
  watch(): void {
    if (this.#cancelLook !== null || this.#open.size === 0) return;
    const nowUs = this.#clock.monotonicUs();
    let nextUs = Number.POSITIVE_INFINITY;
    // A question that is over and still open has an answer on its way to the disk, which may take as long as that is full.
    for (const { deadlineUs } of this.#open.all) if (deadlineUs > nowUs) nextUs = Math.min(nextUs, deadlineUs);
    const nextMs = (nextUs - nowUs) / 1_000;
    const look = (): void => {
      this.#cancelLook = null;
      for (const call of [...this.#open.all]) if (this.isOver(call)) this.#onOver(call);
      this.watch();
    };
    this.#cancelLook = this.#clock.after(Math.min(Math.max(nextMs, 1), LOOK_MS), look, { unref: true });
  }

  stop(): void {
    this.#cancelLook?.();
    this.#cancelLook = null;
  }
}

export function expiredAt({ expiresUs }: WaitingCall): string {
  return `no operator answered by ${new Date(expiresUs / 1_000).toISOString()}`;
}
