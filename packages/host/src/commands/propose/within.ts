/** Waits for something, but no longer than a command has time for. */

/** Null if the time is over first. Nothing of the wait is left behind, or a command that failed would not end. */
export async function within<T>(promise: Promise<T>, timeoutMs: number | undefined): Promise<T | null> {
  if (timeoutMs === undefined) return await promise;
  const deadline = Promise.withResolvers<null>();
  const timer = setTimeout(deadline.resolve, timeoutMs, null);
  try {
    return await Promise.race([promise, deadline.promise]);
  } finally {
    clearTimeout(timer);
  }
}
