/** Who sits at the terminal: what they say, and that they want a turn to end. While a turn runs, their keys show nothing. */
import { createInterface, type Interface } from "node:readline";
import { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

/** Lines that come this close behind each other were pasted, and are one thing that is said. */
const PASTE_MS = 30;

export interface Person extends Disposable {
  /** What is said next; null when nothing more comes. */
  says(): Promise<string | null>;
  /** A signal that is aborted when they want the turn to end; once more, and the command ends. */
  turn(): { readonly signal: AbortSignal } & Disposable;
}

/** The text of stdin, or of the command line, is the one thing that is said. */
export function spokenOnce(text: string): Person {
  let left: string | null = text;
  return {
    says: async () => {
      const said = left;
      left = null;
      return said;
    },
    turn: () => {
      const ending = new AbortController();
      const cancel = (): void => ending.abort();
      // A second one ends the process, as it does by default.
      process.once("SIGINT", cancel);
      return { signal: ending.signal, [Symbol.dispose]: () => void process.removeListener("SIGINT", cancel) };
    },
    [Symbol.dispose]: () => undefined,
  };
}

/** Reads from the terminal, with a history of this chat that is kept nowhere. */
export class TerminalPerson implements Person {
  readonly #terminal: Interface;
  readonly #echo = new Echo();
  readonly #lines: string[] = [];
  #closed = false;
  #wake: () => void = () => undefined;
  #ending: AbortController | null = null;
  /** Ends the command when a turn that was cancelled is to be waited for no longer. */
  readonly #onGiveUp: () => void;

  constructor(prompt: string, onGiveUp: () => void) {
    this.#onGiveUp = onGiveUp;
    const terminal = createInterface({ input: process.stdin, output: this.#echo, terminal: true, prompt });
    terminal.on("line", (line) => {
      this.#lines.push(line);
      this.#wake();
    });
    terminal.on("close", () => {
      this.#closed = true;
      this.#wake();
    });
    terminal.on("SIGINT", () => this.#interrupt());
    this.#terminal = terminal;
  }

  async says(): Promise<string | null> {
    this.#echo.isOn = true;
    this.#terminal.prompt(true);
    while (this.#lines.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    for (let count = 0; count < this.#lines.length; await sleep(PASTE_MS)) count = this.#lines.length;
    this.#echo.isOn = false;
    if (this.#lines.length === 0) return null;
    return this.#lines.splice(0).join("\n");
  }

  turn(): { readonly signal: AbortSignal } & Disposable {
    const ending = new AbortController();
    this.#ending = ending;
    return {
      signal: ending.signal,
      [Symbol.dispose]: () => {
        this.#ending = null;
      },
    };
  }

  [Symbol.dispose](): void {
    this.#terminal.close();
  }

  #interrupt(): void {
    const ending = this.#ending;
    if (ending === null) {
      // Takes back what has been typed, as shells do.
      this.#echo.write("^C\n");
      this.#terminal.write(null, { ctrl: true, name: "e" });
      this.#terminal.write(null, { ctrl: true, name: "u" });
      this.#terminal.prompt();
    } else if (ending.signal.aborted) {
      this.#onGiveUp();
    } else {
      ending.abort();
    }
  }
}

/** What the terminal's own editing shows: nothing while a turn has the screen. */
class Echo extends Writable {
  isOn = false;

  get columns(): number {
    return process.stderr.columns;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.isOn) process.stderr.write(chunk);
    done();
  }
}
