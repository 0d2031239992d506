/** One connection that a program of a sandbox opened to its relay, as a stream of the host. */
import { Duplex } from "node:stream";
import { Output } from "../output.ts";
import { FRAME, PIECE_BYTES, WINDOW_BYTES } from "./frames.ts";

/** The connection's part of the channel. */
export interface ChannelPart {
  send(type: number, payload?: Uint8Array): void;
  forget(): void;
}

export class RelayConnection extends Duplex {
  readonly #channel: ChannelPart;
  /** Bytes that the other end may still send, and that this one may. */
  #room = WINDOW_BYTES;
  #credit = WINDOW_BYTES;
  /** Received bytes of which the other end has not been told that they were taken. */
  #untold = 0;
  /**
   * Received bytes for which nobody has asked yet. INVARIANT: I9: as one piece, because many small ones would cost a
   * hundred times what is in them.
   */
  #pending = new Output();
  #isAskedFor = false;
  /** What waits for credit. */
  #waiting: { piece: Buffer; readonly written: () => void } | null = null;
  #isEnded = false;
  #isReset = false;

  constructor(channel: ChannelPart) {
    // So that the stream holds one piece, and asks for the next when that was taken.
    super({ allowHalfOpen: true, readableHighWaterMark: 1 });
    this.#channel = channel;
    // Whoever serves it may be gone when it breaks.
    this.on("error", () => undefined);
  }

  /** False where the other end sent more than it may. */
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

  /** False where the other end gives more credit than it was ever due. */
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
    // In large steps, so that many small pieces are not answered one by one.
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
