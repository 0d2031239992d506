/**
 * Reads a table through a small window. A start reads tens of megabytes of tables; a buffer for all of it would neither
 * fit the processor's cache nor be given back while the host is idle.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { damage } from "./leveldb-log.ts";
import type { TableBytes } from "./leveldb-table.ts";

/** LIMIT: bytes read at once, unless a block is larger. A larger window would save no time and leave the cache. */
const WINDOW_BYTES = 256 << 10;

export class TableFile implements TableBytes, Disposable {
  readonly length: number;
  readonly #file: string;
  readonly #descriptor: number;
  #window = Buffer.allocUnsafeSlow(WINDOW_BYTES);
  /** The part of the file that is in the window. */
  #from = 0;
  #to = 0;

  private constructor(file: string, descriptor: number, length: number) {
    this.#file = file;
    this.#descriptor = descriptor;
    this.length = length;
  }

  /** Throws FEMTO_JOURNAL_CORRUPT if there is no regular file of this size. */
  static open(file: string, size: number): TableFile {
    // O_NONBLOCK keeps a pipe in the file's place from blocking the open.
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

  /** Moves the window to begin at this offset. */
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
