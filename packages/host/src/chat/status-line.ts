/** A line that says what is waited for and for how long. It disappears when something happens. */

const EVERY_MS = 1_000;

export class StatusLine {
  readonly #write: ((text: string) => void) | null;
  #timer: NodeJS.Timeout | null = null;

  /** Without `write` it shows nothing, because there is no screen from which the line could be erased. */
  constructor(write: ((text: string) => void) | null) {
    this.#write = write;
  }

  show(what: string): void {
    this.clear();
    const write = this.#write;
    if (write === null) return;
    const startMs = performance.now();
    const draw = (): void => write(`\r\u001b[K  · ${what} ${Math.round((performance.now() - startMs) / 1_000)} s`);
    draw();
    this.#timer = setInterval(draw, EVERY_MS);
  }

  clear(): void {
    if (this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
    this.#write?.("\r\u001b[K");
  }
}
