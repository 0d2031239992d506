/** Tells whoever waits what is being done, once it takes longer than a person likes to wait without a word. */
import type { Output } from "./output.ts";

/** LIMIT: milliseconds between two words. */
const WORD_MS = 1_000;

export type During = <T>(what: string, work: () => Promise<T>) => Promise<T>;

/** Each second a line on stderr, with the seconds so far; none for what ends sooner. */
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
