/**
 * Cuts a stream of bytes into lines without ever holding more than one line of the permitted length. A longer line is
 * skipped to its end and reported, so that the connection can go on.
 */
export interface LineSink {
  onLine(line: Buffer): void;
  onTooLong(): void;
}

const NEWLINE = 0x0a;
const NOTHING = Buffer.alloc(0);

export class LineSplitter {
  readonly #sink: LineSink;
  readonly #bytesMax: number;
  /** The line so far, joined into one buffer, so that a line that comes byte by byte costs no more than its length. */
  #held = NOTHING;
  #length = 0;
  #skipping = false;

  constructor(bytesMax: number, sink: LineSink) {
    this.#sink = sink;
    this.#bytesMax = bytesMax;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#finish(chunk.subarray(start, end));
      start = end + 1;
    }
    this.#hold(chunk.subarray(start));
  }

  /** Ends the stream. A last line without a newline counts. */
  end(): void {
    if (this.#length > 0 || this.#skipping) this.#finish(NOTHING);
  }

  #finish(last: Buffer): void {
    // A line that came in one piece is passed on without copying.
    const whole = this.#length === 0 && last.byteLength <= this.#bytesMax;
    if (!whole) this.#hold(last);
    const line = whole ? last : this.#held.subarray(0, this.#length);
    const skipped = this.#skipping;
    this.#held = NOTHING;
    this.#length = 0;
    this.#skipping = false;
    if (skipped) this.#sink.onTooLong();
    else this.#sink.onLine(line);
  }

  #hold(part: Buffer): void {
    if (this.#skipping || part.byteLength === 0) return;
    const length = this.#length + part.byteLength;
    if (length > this.#bytesMax) {
      this.#skipping = true;
      this.#held = NOTHING;
      this.#length = 0;
      return;
    }
    if (length > this.#held.byteLength) {
      const grown = Buffer.allocUnsafe(Math.min(Math.max(length, this.#held.byteLength * 2), this.#bytesMax));
      this.#held.copy(grown, 0, 0, this.#length);
      this.#held = grown;
    }
    part.copy(this.#held, this.#length);
    this.#length = length;
  }
}
