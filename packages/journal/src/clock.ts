/** Where time comes from and how it is waited for. Whoever reads or waits gets a clock, so that time can be simulated. */

/** Both readings count whole microseconds. */
export interface Clock {
  /** Since 1970, for people. */
  nowUs(): number;
  /** Since this clock was made, which is when a boot begins; never runs backwards. */
  monotonicUs(): number;
  /** Calls back once when the time has passed; what it returns prevents that. With `unref` it keeps no process alive. */
  after(delayMs: number, callback: () => void, options?: { readonly unref: boolean }): () => void;
}

/**
 * The clock of this machine; it begins when it is made. One that is set to before 1970, or to where numbers cannot count
 * microseconds any more in 2255, tells the nearest time in between: else a record was written that nobody reads again.
 */
export function systemClock(): Clock {
  const startMs = performance.now();
  return {
    nowUs: () =>
      Math.min(Math.max(Math.round((performance.timeOrigin + performance.now()) * 1000), 0), Number.MAX_SAFE_INTEGER),
    monotonicUs: () => Math.floor((performance.now() - startMs) * 1000),
    after: (delayMs, callback, options) => {
      const timer = setTimeout(callback, delayMs);
      if (options?.unref === true) timer.unref();
      return () => clearTimeout(timer);
    },
  };
}
