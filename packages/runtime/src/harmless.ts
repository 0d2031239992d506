/**
 * Wraps a foreign listener so that nothing it throws, now or later, reaches its caller. Only the first fault becomes a
 * warning; one for each event would bury everything else.
 */
import { errorText } from "@femtoclaw/protocol";

export function harmless<Arguments extends unknown[]>(
  what: string,
  listener: (...args: Arguments) => unknown,
): (...args: Arguments) => void {
  let reported = false;
  const report = (error: unknown): void => {
    if (reported) return;
    reported = true;
    process.emitWarning(`${what} threw: ${errorText(error)}`, { code: "FEMTO_INTERNAL" });
  };
  return (...args) => {
    try {
      const returned = listener(...args);
      if (returned instanceof Promise) returned.catch(report);
    } catch (error) {
      report(error);
    }
  };
}
