/** Names places in one file quickly. A file can have many, and each would otherwise be counted from the beginning. */
export class FilePlaces {
  /** For people, for example `policy/extra.cedar`. */
  readonly file: string;
  /** Offset at which each line begins. */
  readonly #starts: readonly number[];

  constructor(file: string, text: string) {
    this.file = file;
    this.#starts = [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)];
  }

  /** `policy/extra.cedar:3:5` */
  at(offset: number): string {
    let [first, after] = [0, this.#starts.length];
    while (after - first > 1) {
      const middle = (first + after) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) first = middle;
      else after = middle;
    }
    return `${this.file}:${first + 1}:${offset - (this.#starts[first] ?? 0) + 1}`;
  }
}
