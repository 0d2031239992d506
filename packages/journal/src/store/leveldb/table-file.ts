/**
 * The bytes of a table, of which only a part is in memory at a time: a start reads tens of megabytes of tables, and what it
 * would read them into is neither in the processor's cache then nor given back for as long as the host rests.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { damage } from "./leveldb-log.ts";
import type { TableBytes } from "./leveldb-table.ts";

/** LIMIT: bytes that are read at once, unless a block has more: fewer calls gain nothing, and more leave the cache. */
const WINDOW_BYTES = 256 << 10;

export class TableFile implements TableBytes, Disposable {
  readonly length: number;
  readonly #file: string;
  readonly #descriptor: number;
  #window = Buffer.allocUnsafeSlow(WINDOW_BYTES);
  /** Where in the file the window begins and ends. */
  #from = 0;
  #to = 0;

  private constructor(file: string, descriptor: number, length: number) {
    this.#file = file;
    this.#descriptor = descriptor;
    this.length = length;
  }

  /** Throws FEMTO_JOURNAL_CORRUPT where there is no regular file of this size. */
  static open(file: string, size: number): TableFile {
    // A pipe in a file's place does not keep the reader waiting.
    const descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stats = fstatSync(descriptor);
      if (!stats.isFile()) throw damage(file, 0, "this is not a regular file");
      if (stats.size !== size) throw endsEarly(file, stats.size, size);
      return new TableFile(file, descriptor, size);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  bytes(offset: number, length: number): Buffer {
    if (offset < this.#from || offset + length > this.#to) this.#read(offset, length);
    const at = offset - this.#from;
    return this.#window.subarray(at, at + length);
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }

  /** Moves the window so that it begins at the offset. */
  #read(offset: number, least: number): void {
    if (this.#window.length < least) this.#window = Buffer.allocUnsafeSlow(least);
    this.#from = offset;
    this.#to = offset;
    const end = Math.min(offset + this.#window.length, this.length);
    while (this.#to < end) {
      const read = readSync(this.#descriptor, this.#window, this.#to - offset, end - this.#to, this.#to);
      if (read === 0) throw endsEarly(this.#file, this.#to, this.length);
      this.#to += read;
    }
  }
}

function endsEarly(file: string, at: number, size: number): Error {
  return damage(file, at, `the table ends here and not at byte ${size}`);
}
