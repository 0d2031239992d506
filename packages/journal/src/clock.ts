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

/**
 * LIMIT: milliseconds by which the time may differ from the wall clock. The wall clock tells whole milliseconds; what is
 * finer is counted since it was last followed.
 */
const BEHIND_MS = 50;

/**
 * The clock of this machine. It follows the wall clock where that is set, and where the machine slept, which counts as no
 * time to the counter of a process. Its monotonic reading starts at 0 now. A clock set to before 1970, or to after 2255,
 * where numbers can no longer count microseconds, tells the nearest time in between: a record with any other could not be
 * read.
 */
export function systemClock(): Clock {
  const startMs = performance.now();
  let originMs = performance.timeOrigin;
  const wallMs = (): number => {
    const [countedMs, nowMs] = [performance.now(), Date.now()];
    if (Math.abs(originMs + countedMs - nowMs) > BEHIND_MS) originMs = nowMs - countedMs;
    return originMs + countedMs;
  };
  return {
    nowUs: () => Math.min(Math.max(Math.round(wallMs() * 1000), 0), Number.MAX_SAFE_INTEGER),
    monotonicUs: () => Math.floor((performance.now() - startMs) * 1000),
    after: (delayMs, callback, options) => {
      const timer = setTimeout(callback, delayMs);
      if (options?.unref === true) timer.unref();
      return () => clearTimeout(timer);
    },
  };
}
