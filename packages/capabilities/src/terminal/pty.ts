/**
 * The host's side of a pseudoterminal. Native code only creates it and sets its size. Reading and writing use Node's
 * own streams, because the native package's writing blocks the host while a program does not read.
 */
import { closeSync, constants, openSync, writeSync } from "node:fs";
import { ReadStream } from "node:tty";
import { errorText, FemtoError, systemErrorCode } from "@femtoclaw/protocol";
import { requireBinary } from "node-pty/requireBinary.js";

interface Binding {
  open(cols: number, rows: number): { readonly master: number; readonly slave: number };
  resize(descriptor: number, cols: number, rows: number): void;
}

/** Size of a terminal, in cells. */
export interface PtySize {
  readonly cols: number;
  readonly rows: number;
}

/** LIMIT: bytes of one write; the kernel takes a few KiB at once. */
const WRITE_BYTES = 4_096;
/** Pause before a write to a program that does not read is tried again. */
const RETRY_MS = 20;

/** Native code is loaded when the first terminal is opened; most hosts never need it. */
function binding(): Binding {
  return requireBinary("pty.node") as Binding;
}

export class Pty {
  readonly #master: number;
  readonly #stream: ReadStream;
  readonly #writing: Buffer[] = [];
  #waitingBytes = 0;
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  private constructor(master: number) {
    this.#master = master;
    this.#stream = new ReadStream(master);
    // A terminal reports EIO when no program has it open any more.
    this.#stream.on("error", () => this.close());
    this.#stream.on("close", () => this.close());
    this.#stream.pause();
  }

  /** Throws FEMTO_OS_REFUSED. `use` gets the program's side, which is closed afterwards. */
  static open<Used>({ cols, rows }: PtySize, use: (pty: Pty, device: number) => Used): Used {
    const { master, slave } = opened(cols, rows);
    try {
      const pty = Pty.#of(master);
      try {
        return use(pty, slave);
      } catch (error) {
        pty.close();
        throw error;
      }
    } finally {
      closeSync(slave);
    }
  }

  static #of(master: number): Pty {
    try {
      return new Pty(master);
    } catch (error) {
      closeSync(master);
      throw error;
    }
  }

  /** Nothing is read before somebody listens. */
  listen(onData: (chunk: Buffer) => void, onClosed: () => void): void {
    this.#stream.on("close", onClosed);
    this.#stream.on("data", (chunk: Buffer) => onData(chunk));
    this.#stream.resume();
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Bytes that neither the program nor the kernel has taken yet. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  write(bytes: Buffer): void {
    if (this.#isClosed || bytes.length === 0) return;
    this.#writing.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#timer === null) this.#writeOn();
  }

  resize({ cols, rows }: PtySize): void {
    // INVARIANT: nothing is done with a closed descriptor, whose number may belong to another file by now.
    if (!this.#isClosed) binding().resize(this.#master, cols, rows);
  }

  /** Back-pressure: unread output fills the kernel's buffer, and then the program blocks in its write. */
  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#writing.length = 0;
    this.#waitingBytes = 0;
    this.#stream.destroy();
  }

  #writeOn(): void {
    this.#timer = null;
    for (let next = this.#writing[0]; next !== undefined; next = this.#writing[0]) {
      const written = this.#tryWrite(next);
      if (written === null) return;
      this.#waitingBytes -= written;
      if (written === next.length) this.#writing.shift();
      else this.#writing[0] = next.subarray(written);
      if (written > 0) continue;
      this.#timer = setTimeout(() => this.#writeOn(), RETRY_MS);
      return;
    }
  }

  /** The number of bytes taken; null if the terminal has ended. */
  #tryWrite(bytes: Buffer): number | null {
    try {
      return writeSync(this.#master, bytes, 0, Math.min(bytes.length, WRITE_BYTES));
    } catch (error) {
      if (systemErrorCode(error) === "EAGAIN") return 0;
      this.close();
      return null;
    }
  }
}

function opened(cols: number, rows: number): { readonly master: number; readonly slave: number } {
  try {
    const { master, slave } = binding().open(cols, rows);
    try {
      return { master, slave: blocking(slave) };
    } catch (error) {
      closeSync(master);
      throw error;
    }
  } catch (error) {
    throw new FemtoError("FEMTO_OS_REFUSED", `no terminal could be made: ${errorText(error)}`);
  }
}

/**
 * The native package makes both sides non-blocking. A program that reads before anybody has typed would then fail with
 * EAGAIN, so on Linux it gets the same device opened anew. Elsewhere Node.js starts the program, and makes it block.
 */
function blocking(device: number): number {
  if (process.platform !== "linux") return device;
  try {
    return openSync(`/proc/self/fd/${device}`, constants.O_RDWR | constants.O_NOCTTY);
  } finally {
    closeSync(device);
  }
}
