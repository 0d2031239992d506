/**
 * The person at the terminal: reads what they say, and notices when they want a turn to end. During a turn nothing that
 * they type is shown.
 */
import { createInterface, type Interface } from "node:readline";
import { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

/** Milliseconds. Lines that follow each other more closely were pasted and form one message. */
const PASTE_MS = 30;

export interface Person extends Disposable {
  /** What the person says next; null if nothing more comes. */
  says(): Promise<string | null>;
  /** A signal that aborts when the person wants the turn to end. If they interrupt again, the command ends. */
  turn(): { readonly signal: AbortSignal } & Disposable;
}

/** Says only this text, which comes from stdin or the command line. */
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
      // A second SIGINT ends the process, as it does by default.
      process.once("SIGINT", cancel);
      return { signal: ending.signal, [Symbol.dispose]: () => void process.removeListener("SIGINT", cancel) };
    },
    [Symbol.dispose]: () => undefined,
  };
}

/** Reads from the terminal, with a history of this chat that is not stored. */
export class TerminalPerson implements Person {
  readonly #terminal: Interface;
  readonly #echo = new Echo();
  readonly #lines: string[] = [];
  #closed = false;
  #wake: () => void = () => undefined;
  #ending: AbortController | null = null;
  /** Called when the person does not want to wait any longer for a cancelled turn. */
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
      // Discards what was typed, as shells do.
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

/** Output of the terminal's line editor; shows nothing while a turn uses the screen. */
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
