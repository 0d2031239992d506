/**
 * The host's end of the one descriptor that leads out of a sandbox: it turns frames into connections. Input is hostile:
 * any program of the sandbox may be at the other end.
 */
import type { Duplex } from "node:stream";
import { FRAME, frame, HEADER_BYTES, PIECE_BYTES, WINDOW_BYTES } from "./frames.ts";
import { RelayConnection } from "./relay-connection.ts";

/** LIMIT: concurrent connections of one child; package managers open some 15 to each host. */
const OPEN_MAX = 64;
/**
 * LIMIT: connections of one child in all, and bytes that it sends, frame headers included, because both cost the host's
 * time.
 */
export interface ChannelLimits {
  readonly connections: number;
  readonly receivedBytes: number;
}
const OF_CALL: ChannelLimits = { connections: 4_096, receivedBytes: 4_294_967_296 };
/** LIMIT: the same for an agent, which may run for a day: two connections each second. */
export const OF_AGENT: ChannelLimits = { connections: 172_800, receivedBytes: 274_877_906_944 };
/** LIMIT: bytes that wait for a relay that does not read: all windows, and the small frames about them. */
const WAITING_BYTES = OPEN_MAX * WINDOW_BYTES + 1_048_576;

export class RelayChannel {
  readonly #descriptor: Duplex;
  readonly #onConnection: (connection: Duplex) => void;
  readonly #connections = new Map<number, RelayConnection>();
  readonly #limits: ChannelLimits;
  #unread: Buffer = Buffer.alloc(0);
  #received = 0;
  #last = 0;

  constructor(descriptor: Duplex, onConnection: (connection: Duplex) => void, limits = OF_CALL) {
    this.#descriptor = descriptor;
    this.#limits = limits;
    this.#onConnection = onConnection;
    descriptor.on("data", (chunk: Buffer) => this.#read(chunk));
    descriptor.on("error", () => this.destroy());
    descriptor.on("end", () => this.#endAll());
    descriptor.on("close", () => this.destroy());
  }

  /** Closes the way out and every connection with it. */
  destroy(): void {
    this.#descriptor.destroy();
    for (const connection of this.#connections.values()) connection.destroy();
    this.#connections.clear();
  }

  #send(type: number, id: number, payload: Uint8Array = new Uint8Array()): void {
    if (this.#descriptor.destroyed || !this.#descriptor.writable) return;
    this.#descriptor.write(frame(type, id, payload));
    // INVARIANT: I9: a child that never reads costs a bounded amount of memory.
    if (this.#descriptor.writableLength > WAITING_BYTES) this.destroy();
  }

  #read(chunk: Buffer): void {
    this.#received += chunk.length;
    if (this.#received > this.#limits.receivedBytes) return this.destroy();
    this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    // A frame can be the last one that is taken: its answer may be too much for a relay that does not read.
    while (this.#unread.length >= HEADER_BYTES && !this.#descriptor.destroyed) {
      const length = this.#unread.readUInt16BE(5);
      // INVARIANT: I3: a malformed frame closes the way out; nothing is guessed about what follows it.
      if (length > PIECE_BYTES) return this.destroy();
      if (this.#unread.length < HEADER_BYTES + length) return;
      const type = this.#unread.readUInt8(0);
      const id = this.#unread.readUInt32BE(1);
      const payload = this.#unread.subarray(HEADER_BYTES, HEADER_BYTES + length);
      this.#unread = this.#unread.subarray(HEADER_BYTES + length);
      if (!this.#take(type, id, payload)) return this.destroy();
    }
  }

  /** False for a frame that no relay sends. */
  #take(type: number, id: number, payload: Buffer): boolean {
    if (type === FRAME.open) return payload.length === 0 && this.#open(id);
    if (id === 0 || id > this.#last) return false;
    // A frame that was in flight when its connection ended has no effect.
    const connection = this.#connections.get(id);
    switch (type) {
      case FRAME.data:
        return connection?.received(payload) ?? true;
      case FRAME.end:
        connection?.receivedEnd();
        return payload.length === 0;
      case FRAME.reset:
        connection?.receivedReset();
        return payload.length === 0;
      case FRAME.window:
        return payload.length === 4 && (connection?.credited(payload.readUInt32BE(0)) ?? true);
      default:
        return false;
    }
  }

  #open(id: number): boolean {
    // Each number is used once, so that no late frame is attributed to another connection.
    if (id !== this.#last + 1 || id > this.#limits.connections) return false;
    this.#last = id;
    if (this.#connections.size >= OPEN_MAX) {
      this.#send(FRAME.reset, id);
      return true;
    }
    const connection = new RelayConnection({
      send: (type, payload) => this.#send(type, id, payload),
      // From here on its frames mean nothing.
      forget: () => this.#connections.delete(id),
    });
    this.#connections.set(id, connection);
    this.#onConnection(connection);
    return true;
  }

  #endAll(): void {
    for (const connection of this.#connections.values()) connection.receivedEnd();
  }
}
