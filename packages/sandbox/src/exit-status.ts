/** How a program ended, as bubblewrap reports it. */
import { constants } from "node:os";

/**
 * The exit code in what bubblewrap wrote to its status descriptor; null while there is none. INVARIANT: I7: a program that
 * takes over process 1 of its sandbox has any number reported, and no number says that it was not started.
 */
export function exitCodeIn(status: string): number | null {
  const reported = /"exit-code": (-?\d+)/.exec(status)?.[1];
  return reported === undefined ? null : Number(reported) & 0xff;
}

/** The signal that an exit code above 128 stands for by convention. */
export function signalOf(exitCode: number): string | null {
  const found = Object.entries(constants.signals).find(([, number]) => number === exitCode - 128);
  return found?.[0] ?? null;
}
