/** One connection that a program of a sandbox opened to its relay, as a stream on the host. */
import { Duplex } from "node:stream";
import { Output } from "../children/output.ts";
import { FRAME, PIECE_BYTES, WINDOW_BYTES } from "./frames.ts";

/** What a connection needs of its channel. */
export interface ChannelPart {
  send(type: number, payload?: Uint8Array): void;
  forget(): void;
}

export class RelayConnection extends Duplex {
  readonly #channel: ChannelPart;
  /** Bytes that the other end may still send, and bytes that this end may. */
  #room = WINDOW_BYTES;
  #credit = WINDOW_BYTES;
  /** Received bytes whose consumption was not yet reported to the other end. */
  #untold = 0;
  /**
   * Received bytes that nobody has read yet. INVARIANT: I9: they are kept in one piece, because many small ones would
   * cost a hundred times their content.
   */
  #pending = new Output();
  #isAskedFor = false;
  /** The piece that waits for credit. */
  #waiting: { piece: Buffer; readonly written: () => void } | null = null;
  #isEnded = false;
  #isReset = false;

  constructor(channel: ChannelPart) {
    // The stream then buffers one piece, and asks for the next only after that was read.
    super({ allowHalfOpen: true, readableHighWaterMark: 1 });
    this.#channel = channel;
    // The code that serves the connection may be gone when it breaks.
    this.on("error", () => undefined);
  }

  /** False if the other end sent more than it may. */
  received(payload: Buffer): boolean {
    if (payload.length > this.#room || this.#isEnded) return false;
    this.#room -= payload.length;
    this.#untold += payload.length;
    this.#pending.append(payload);
    this.#pour();
    return true;
  }

  receivedEnd(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#pour();
  }

  receivedReset(): void {
    this.#isReset = true;
    this.destroy();
  }

  /** False if the other end grants more credit than it ever owed. */
  credited(bytes: number): boolean {
    this.#credit += bytes;
    if (this.#credit > WINDOW_BYTES) return false;
    this.#pump();
    return true;
  }

  override _read(): void {
    this.#isAskedFor = true;
    this.#pour();
    const taken = this.#untold - this.readableLength - this.#pending.bytes.length;
    // Credit is granted in large steps, so that many small pieces are not answered one by one.
    if (taken < WINDOW_BYTES / 4) return;
    this.#untold -= taken;
    this.#room += taken;
    const credit = Buffer.alloc(4);
    credit.writeUInt32BE(taken);
    this.#channel.send(FRAME.window, credit);
  }

  override _write(piece: Buffer, _encoding: BufferEncoding, written: () => void): void {
    this.#waiting = { piece, written };
    this.#pump();
  }

  override _final(finished: () => void): void {
    this.#channel.send(FRAME.end);
    finished();
  }

  override _destroy(error: Error | null, destroyed: (error: Error | null) => void): void {
    const isClosed = this.#isEnded && this.writableFinished;
    if (!isClosed && !this.#isReset) this.#channel.send(FRAME.reset);
    this.#channel.forget();
    this.#waiting = null;
    destroyed(error);
  }

  #pour(): void {
    if (!this.#isAskedFor) return;
    const { bytes } = this.#pending;
    if (bytes.length === 0 && !this.#isEnded) return;
    this.#isAskedFor = false;
    this.#pending = new Output();
    this.push(bytes.length === 0 ? null : bytes);
  }

  #pump(): void {
    const waiting = this.#waiting;
    if (waiting === null) return;
    while (this.#credit > 0 && waiting.piece.length > 0) {
      const piece = waiting.piece.subarray(0, Math.min(this.#credit, PIECE_BYTES));
      this.#credit -= piece.length;
      waiting.piece = waiting.piece.subarray(piece.length);
      this.#channel.send(FRAME.data, piece);
    }
    if (waiting.piece.length > 0) return;
    this.#waiting = null;
    waiting.written();
  }
}
