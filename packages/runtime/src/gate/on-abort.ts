/** Listens to the signal by which a proposer says that it no longer wants a call. */
import { harmless } from "../harmless.ts";

/**
 * Calls `heard` once when the signal aborts, or at once if it already has. Disposing the result stops listening, and never
 * throws, whatever was passed in as the signal.
 */
export function onAbort(signal: AbortSignal | undefined, heard: () => void): Disposable | null {
  if (signal === undefined) return null;
  if (signal.aborted) heard();
  else signal.addEventListener("abort", heard, { once: true });
  return { [Symbol.dispose]: harmless("an AbortSignal", () => signal.removeEventListener("abort", heard)) };
}
