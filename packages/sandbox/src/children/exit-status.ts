/** How a program ended, as reported by the program that confines it. */
import { constants } from "node:os";
import { parseJson } from "@femtoclaw/protocol";

/**
 * The exit code in the status text; null if there is none yet or no program ran. INVARIANT: I7: a program that takes
 * over process 1 of its sandbox can have any number reported, but no number means that the program was not started.
 */
export function exitCodeIn(status: string): number | null {
  if (!status.includes('"child-pid"')) return null;
  const reported = /"exit-code": (-?\d+)/.exec(status)?.[1];
  return reported === undefined ? null : Number(reported) & 0xff;
}

/**
 * The launcher's reason under Landlock or Seatbelt why no program was started, from a line of its own; null without
 * one.
 */
export function faultIn(status: string): string | null {
  const said = /^\{"fault":(".*")\}\n/m.exec(status)?.[1];
  if (said === undefined) return null;
  try {
    return String(parseJson(said));
  } catch {
    return "it says why in no words that can be read";
  }
}

/** The signal that an exit code above 128 stands for by convention. */
export function signalOf(exitCode: number): string | null {
  const found = Object.entries(constants.signals).find(([, number]) => number === exitCode - 128);
  return found?.[0] ?? null;
}
