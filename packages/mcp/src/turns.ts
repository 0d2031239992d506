/** Lets a bounded number go on at once; the others wait in the order in which they came. */
export class Turns {
  readonly #max: number;
  #taken = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  /** A turn, which ends when it is disposed of. */
  async take(): Promise<Disposable> {
    if (this.#taken < this.#max) this.#taken += 1;
    else await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    return { [Symbol.dispose]: () => this.#end() };
  }

  /** Whoever has waited longest goes on in its place. */
  #end(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken -= 1;
    else next();
  }
}
