/** Waits for the promise, but no longer than the deadline. */
import type { Clock } from "@femtoclaw/journal";

export async function settled(clock: Clock, promise: Promise<void>, deadlineMs: number): Promise<void> {
  const deadline = Promise.withResolvers<void>();
  const cancel = clock.after(deadlineMs, deadline.resolve);
  try {
    await Promise.race([promise, deadline.promise]);
  } finally {
    cancel();
  }
}
