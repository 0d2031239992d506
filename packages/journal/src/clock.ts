/**
 * Where time comes from and how to wait for it. Code that reads the time or waits is given a clock, so that time can be
 * simulated.
 */

/** Both readings are in whole microseconds. */
export interface Clock {
  /** Since 1970, for people. */
  nowUs(): number;
  /** Since this clock was made, which is when a boot begins. Never runs backwards. */
  monotonicUs(): number;
  /**
   * Calls back once after the delay; the returned function cancels that. With `unref` the wait does not keep the
   * process alive.
   */
  after(delayMs: number, callback: () => void, options?: { readonly unref: boolean }): () => void;
}

/** The clock of this machine. Its monotonic reading starts at 0 now. */
export function systemClock(): Clock {
  const startMs = performance.now();
  return {
    nowUs: () => Math.round((performance.timeOrigin + performance.now()) * 1000),
    monotonicUs: () => Math.floor((performance.now() - startMs) * 1000),
    after: (delayMs, callback, options) => {
      const timer = setTimeout(callback, delayMs);
      if (options?.unref === true) timer.unref();
      return () => clearTimeout(timer);
    },
  };
}
