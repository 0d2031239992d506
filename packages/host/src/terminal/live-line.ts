/**
 * A line that changes while something goes on. It stays below all other messages and disappears once there is nothing
 * to show. It is shown only to a person at a terminal, not where stdout is data for a program.
 */
import { stripVTControlCharacters } from "node:util";

/** Erases the line and resets its colours. */
const CLEAR = "\r\u001b[2K\u001b[0m";
const COLUMNS = 80;

export class LiveLine implements Disposable {
  readonly isSeen: boolean;
  #text = "";
  readonly #onInterrupt = (): void => {
    this.set("");
    // End the process the way the signal would have ended it without this line.
    process.removeListener("SIGINT", this.#onInterrupt);
    process.kill(process.pid, "SIGINT");
  };

  constructor({ json = false, quiet = false }: { readonly json?: boolean; readonly quiet?: boolean }) {
    this.isSeen = process.stdout.isTTY && process.stderr.isTTY && !json && !quiet;
    if (this.isSeen) process.on("SIGINT", this.#onInterrupt);
  }

  /**
   * An empty text removes the line. The text has to be printable; what does not fit is cut, so that it stays on one
   * line.
   */
  set(text: string): void {
    if (!this.isSeen || text === this.#text) return;
    // A terminal that does not know its width reports 0.
    const columns = process.stderr.columns || COLUMNS;
    const isWide = stripVTControlCharacters(text).length >= columns;
    const fitting = isWide ? `${[...stripVTControlCharacters(text)].slice(0, columns - 2).join("")}…` : text;
    process.stderr.write(`${CLEAR}${fitting}`);
    this.#text = text;
  }

  /** Lets a message be written above the line. */
  above(say: () => void): void {
    const text = this.#text;
    this.set("");
    say();
    this.set(text);
  }

  [Symbol.dispose](): void {
    this.set("");
    process.removeListener("SIGINT", this.#onInterrupt);
  }
}

/** Waits longer than this are shown. */
const LONG_MS = 1_000;
const TICK_MS = 500;

/** Waits for a promise, and shows a person at the terminal how long that has taken so far. */
export async function whileWaiting<T>(work: Promise<T>, what: string, line: LiveLine): Promise<T> {
  const startMs = performance.now();
  const timer = setInterval(() => {
    const passedMs = performance.now() - startMs;
    if (passedMs >= LONG_MS) line.set(`${what}: ${Math.floor(passedMs / 1_000)} s`);
  }, TICK_MS);
  try {
    return await work;
  } finally {
    clearInterval(timer);
    line.set("");
  }
}
