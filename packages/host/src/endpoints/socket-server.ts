/** Serves one socket: takes its connections, as many as there are places for, and ends them when the host stops. */
import { createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { noPlace } from "./answer-line.ts";
import { LineTurns } from "./line-turns.ts";
import { type Shared, SocketConnection } from "./socket-connection.ts";
import { clearStaleSocket, unusable } from "./socket-directory.ts";
import { SocketMemory } from "./socket-memory.ts";
import { SocketPlaces } from "./socket-places.ts";
import type { ConnectionHandlers } from "./verb-handlers.ts";

/** LIMIT: time that a stopping host gives a client to read its last answers. */
const LAST_ANSWERS_MS = 2_000;
/**
 * LIMIT: clients that were told that there is no place and have not disconnected yet. If there are more, the oldest is
 * disconnected.
 */
const TURNED_AWAY_MAX = 64;

/** Time after which the host looks again whether clients that wait for an answer are still there. */
const LOOK_MS = 1_000;

export class SocketServer {
  readonly #server: Server;
  readonly #connections = new Map<Socket, SocketConnection>();
  #looking: NodeJS.Timeout | null = null;
  readonly #turnedAway = new Set<Socket>();
  readonly #places = new SocketPlaces<SocketConnection>((connection) => connection.leave());
  readonly #shared: Shared = { memory: new SocketMemory(this.#connections), lines: new LineTurns() };

  private constructor(onConnection: () => ConnectionHandlers) {
    // A client that has sent all its requests still gets its answers.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      if (!this.#places.hasRoom()) return this.#turnAway(socket);
      const connection = new SocketConnection(socket, onConnection(), this.#shared);
      this.#connections.set(socket, connection);
      this.#looking ??= setInterval(() => this.#look(), LOOK_MS).unref();
      this.#places.add(connection);
      socket.once("close", () => {
        this.#connections.delete(socket);
        this.#places.remove(connection);
      });
    });
  }

  static async listen(path: string, onConnection: () => ConnectionHandlers): Promise<SocketServer> {
    await clearStaleSocket(path);
    const server = new SocketServer(onConnection);
    await new Promise<void>((resolve, reject) => {
      // INVARIANT: I9: this listener stays. A server also reports each connection that it could not accept, which
      // concerns that client alone; without a listener the second report would end the host.
      server.#server.on("error", (error) => reject(unusable(path, error)));
      // INVARIANT: I8: the socket is private from the beginning, so there is no moment in which others could connect.
      // It is made within this call, so that nothing else is made under this umask.
      const umask = process.umask(0o177);
      try {
        server.#server.listen(path, resolve);
      } finally {
        process.umask(umask);
      }
    });
    return server;
  }

  /** Stops listening, and ends the connections once their answers are read or the time for that is over. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const connection of this.#connections.values()) connection.stop();
    for (const socket of this.#turnedAway) socket.destroy();
    await Promise.race([closed, sleep(LAST_ANSWERS_MS, undefined, { ref: false })]);
    for (const socket of this.#connections.keys()) socket.destroy();
    await closed;
  }

  #look(): void {
    for (const connection of this.#connections.values()) connection.touch();
    if (this.#connections.size > 0 || this.#looking === null) return;
    clearInterval(this.#looking);
    this.#looking = null;
  }

  /**
   * Tells the client why it is turned away. Ending the connection is left to the client, which could not read the
   * reason any more once it wrote to a connection that is gone.
   */
  #turnAway(socket: Socket): void {
    this.#turnedAway.add(socket);
    socket.once("close", () => this.#turnedAway.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.setTimeout(LAST_ANSWERS_MS, () => socket.destroy());
    socket.resume().end(noPlace());
    const [first] = this.#turnedAway;
    if (this.#turnedAway.size > TURNED_AWAY_MAX) first?.destroy();
  }
}
