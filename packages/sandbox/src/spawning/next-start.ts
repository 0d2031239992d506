/**
 * Starting a process takes milliseconds of this thread. So each turn of the event loop starts only one, and between two
 * starts this process reads what running children write.
 */
let last = Promise.resolve();

/** Resolves when the caller may start a process. */
export function nextStart(): Promise<void> {
  last = last.then(() => new Promise((resolve) => setImmediate(resolve)));
  return last;
}
