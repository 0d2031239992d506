/** Collects the output of a program up to a cap. Memory grows with the bytes, not with the number of pieces. */
export class Output {
  #bytes = Buffer.alloc(0);
  #length = 0;

  append(piece: Uint8Array): void {
    const needed = this.#length + piece.length;
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    this.#bytes.set(piece, this.#length);
    this.#length = needed;
  }

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }
}
