/** Tells a waiting user what is being done, once it takes noticeably long. */
import type { Output } from "./output.ts";

/** LIMIT: milliseconds between two messages. */
const WORD_MS = 1_000;

export type During = <T>(what: string, work: () => Promise<T>) => Promise<T>;

/** Writes a line to stderr every second, with the seconds so far. Faster work writes nothing. */
export function during(output: Pick<Output, "talk">): During {
  return async (what, work) => {
    const beganMs = performance.now();
    const timer = setInterval(() => {
      output.talk(`${what}: ${Math.round((performance.now() - beganMs) / 1_000)} s`);
    }, WORD_MS);
    try {
      return await work();
    } finally {
      clearInterval(timer);
    }
  };
}
