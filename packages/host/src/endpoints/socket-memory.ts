/**
 * Limits what the clients of one socket make the host hold in memory: requests that are under way, and answers that
 * they have not read. Each connection has a share that no other can take from it. Memory beyond all shares is given
 * out in the order of the requests.
 */
import type { Socket } from "node:net";

/**
 * LIMIT: the share of each connection: bytes of its requests that are under way, and of its answers that wait to be
 * read.
 */
const SHARE_BYTES = 256 * 1024;
/**
 * LIMIT: bytes of requests that are under way on all connections. Beyond this, each connection has only its share, or
 * one request.
 */
const REQUEST_BYTES_MAX = 64 * 1024 * 1024;
/** LIMIT: bytes that one client may leave unread before its further requests wait too. */
const UNREAD_BYTES_MAX = 8 * 1024 * 1024;
/** LIMIT: bytes that all clients together may leave unread. Beyond this, each has only its share. */
const ALL_UNREAD_BYTES_MAX = 128 * 1024 * 1024;

/** INVARIANT: I9: no number of connections, however they are used, makes the host hold more than these limits. */
export class SocketMemory {
  readonly #sockets: { keys(): Iterable<Socket> };
  #requestBytes = 0;

  constructor(sockets: { keys(): Iterable<Socket> }) {
    this.#sockets = sockets;
  }

  /** Whether a connection may have this request as well, with `underWay` bytes of others under way. */
  hasShare(underWay: number, bytes: number): boolean {
    const isWithinShare = underWay === 0 || underWay + bytes <= SHARE_BYTES;
    return isWithinShare || this.#requestBytes + bytes <= REQUEST_BYTES_MAX;
  }

  take(bytes: number): void {
    this.#requestBytes += bytes;
  }

  /** Called when a request has been answered. */
  giveBack(bytes: number): void {
    this.#requestBytes -= bytes;
  }

  /** Whether a client reads its answers fast enough to be given more. */
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
