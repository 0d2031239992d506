/** The one place where the runtime reads time. Everything else gets it as a value. */
export interface Clock {
  /** Wall clock, microseconds since 1970. */
  nowUs(): number;
  /** Microseconds since this clock was made; never goes back. */
  monotonicUs(): number;
}

export function systemClock(): Clock {
  const startNs = process.hrtime.bigint();
  return {
    nowUs: () => Math.round((performance.timeOrigin + performance.now()) * 1000),
    monotonicUs: () => Number((process.hrtime.bigint() - startNs) / 1000n),
  };
}

/** RFC 3339, UTC, milliseconds: for replies that people read. */
export function timestamp(clock: Clock): string {
  return new Date(clock.nowUs() / 1000).toISOString();
}
