/** How a program ended, as what confines it reports. */
import { constants } from "node:os";

/**
 * The exit code in what was written to the status descriptor; null while there is none, and where no program ran.
 * INVARIANT: I7: a program that takes over process 1 of its sandbox has any number reported, and no number says that it was
 * not started.
 */
export function exitCodeIn(status: string): number | null {
  if (!status.includes('"child-pid"')) return null;
  const reported = /"exit-code": (-?\d+)/.exec(status)?.[1];
  return reported === undefined ? null : Number(reported) & 0xff;
}

/** Why no program was started, as the launcher under Landlock or Seatbelt says it in a line of its own; null while it has not. */
export function faultIn(status: string): string | null {
  const said = /^\{"fault":(".*")\}\n/m.exec(status)?.[1];
  if (said === undefined) return null;
  try {
    return String(JSON.parse(said));
  } catch {
    return "it says why in no words that can be read";
  }
}

/** The signal that an exit code above 128 stands for by convention. */
export function signalOf(exitCode: number): string | null {
  const found = Object.entries(constants.signals).find(([, number]) => number === exitCode - 128);
  return found?.[0] ?? null;
}
