/**
 * What the clients of one socket make their host hold for them: requests that are under way, and answers that they do not
 * read. Each connection has a share that nobody takes from it, and what is beyond all shares is for whoever comes first.
 */
import type { Socket } from "node:net";

/** LIMIT: bytes of requests that are under way, and of answers that wait to be read, which each connection may have. */
const SHARE_BYTES = 256 * 1024;
/** LIMIT: bytes of requests of all connections that are under way, beyond which each has its share, or one request. */
const REQUEST_BYTES_MAX = 64 * 1024 * 1024;
/** LIMIT: bytes that wait to be read by one client before its further requests wait too. */
const UNREAD_BYTES_MAX = 8 * 1024 * 1024;
/** LIMIT: the same of all clients, beyond which each has its share. */
const ALL_UNREAD_BYTES_MAX = 128 * 1024 * 1024;

/** INVARIANT: I9: no number of connections, however they are used, has the host hold more than that. */
export class SocketMemory {
  readonly #sockets: { keys(): Iterable<Socket> };
  #requestBytes = 0;

  constructor(sockets: { keys(): Iterable<Socket> }) {
    this.#sockets = sockets;
  }

  /** Whether a connection with so much under way may have this request as well. */
  hasShare(underWay: number, bytes: number): boolean {
    const isWithinShare = underWay === 0 || underWay + bytes <= SHARE_BYTES;
    return isWithinShare || this.#requestBytes + bytes <= REQUEST_BYTES_MAX;
  }

  take(bytes: number): void {
    this.#requestBytes += bytes;
  }

  /** A request has its answer. */
  giveBack(bytes: number): void {
    this.#requestBytes -= bytes;
  }

  /** Whether a client reads its answers well enough to be given more of them. */
  hasRoom({ writableLength }: Socket): boolean {
    if (writableLength <= SHARE_BYTES) return true;
    return writableLength <= UNREAD_BYTES_MAX && this.#unread() <= ALL_UNREAD_BYTES_MAX;
  }

  #unread(): number {
    let bytes = 0;
    for (const { writableLength } of this.#sockets.keys()) bytes += writableLength;
    return bytes;
  }
}
