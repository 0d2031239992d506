/**
 * One connection of a socket: lines in, lines out, several requests at once. It takes up lines as fast as its client
 * reads the answers, and no faster than the other connections of the socket let it.
 */
import type { Socket } from "node:net";
import { LIMITS, LineSplitter, writeTogether } from "@femtoclaw/protocol";
import { type Answering, answerLine, noPlace, tooLongLine } from "./answer-line.ts";
import { AnswerTurns } from "./answer-turns.ts";
import type { LineTurns } from "./line-turns.ts";
import type { SocketMemory } from "./socket-memory.ts";
import type { ConnectionHandlers } from "./verb-handlers.ts";

/**
 * LIMIT: lines of one connection that are taken up in one turn of the loop; then the other connections have their turn.
 */
const LINES_PER_TURN = 8;

const NEWLINE = 0x0a;
const NOTHING = Buffer.alloc(0);

/** What all connections of one socket share. */
export interface Shared {
  readonly memory: SocketMemory;
  readonly lines: LineTurns;
}

export class SocketConnection {
  readonly #socket: Socket;
  readonly #verbs: ConnectionHandlers["verbs"];
  readonly #memory: SocketMemory;
  readonly #lines: LineTurns;
  readonly #turns: AnswerTurns;
  readonly #splitter: LineSplitter;
  /** Bytes that came in and are not split into lines yet. */
  #rest: Buffer = NOTHING;
  /**
   * The line that is taken up next. INVARIANT: I9: lines are split off one by one, because empty lines cost more than
   * their length.
   */
  #line: Buffer | null = null;
  readonly #unanswered = new Set<Answering>();
  /** Bytes of the requests that have no answer yet. */
  #underWay = 0;
  #isEnding = false;
  /** Whether this connection has taken up all that it may in this turn of the loop. */
  #hasHadTurn = false;
  /** Whether a whole line of this connection has been taken up. */
  hasAsked = false;

  constructor(socket: Socket, handlers: ConnectionHandlers, { memory, lines }: Shared) {
    this.#socket = socket;
    this.#verbs = handlers.verbs;
    this.#memory = memory;
    this.#lines = lines;
    this.#turns = new AnswerTurns(() => memory.hasRoom(socket));
    this.#splitter = new LineSplitter(LIMITS.socketLineBytes, {
      onLine: (line) => {
        this.#line = line;
      },
      onTooLong: () => {
        this.#write(tooLongLine());
      },
    });
    socket.on("data", (chunk) => {
      this.#rest = this.#rest.length === 0 ? (chunk as Buffer) : Buffer.concat([this.#rest, chunk as Buffer]);
      this.#goOn();
    });
    // INVARIANT: only whole lines count. A line that a client began and did not end was never asked.
    socket.on("end", () => {
      this.#isEnding = true;
      handlers.onLeaving?.();
      this.#goOn();
    });
    socket.on("drain", () => {
      this.#turns.read();
      this.#goOn();
    });
    // A broken connection concerns only its client. What the client proposed continues and is recorded.
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#rest = NOTHING;
      this.#line = null;
      this.#turns.end();
      lines.forget(this.#goOn);
      handlers.onClosed();
    });
  }

  /**
   * Ends the connection if its client is gone. INVARIANT: I9: a client that left while it waited, perhaps for hours, keeps
   * no place. The end of what it sends does not tell, because it may still read; only writing does, also of nothing.
   */
  touch(): void {
    if (this.#unanswered.size > 0 && this.#socket.writable && this.#socket.writableLength === 0) this.#socket.write("");
  }

  /** Ends the connection because the host stops. Each request that still waits is told so. */
  stop(): void {
    for (const { ifStopped } of this.#unanswered) if (ifStopped !== null) this.#write(ifStopped);
    this.#socket.destroySoon();
  }

  /** Gives the place to somebody else. What this client has proposed continues and is recorded. */
  leave(): void {
    this.#socket.write(noPlace());
    this.#socket.destroySoon();
  }

  /**
   * Takes up lines while there is room. A client that asks faster than it reads its answers has to wait, and nobody
   * else does.
   */
  readonly #goOn = (): void => {
    if (!this.#hasHadTurn) this.#takeUp();
    const isEmpty = this.#line === null && this.#rest.length === 0;
    if (this.#isEnding && this.#unanswered.size === 0 && isEmpty) this.#socket.end();
    else if (this.#hasRoom() && isEmpty) this.#socket.resume();
    else this.#socket.pause();
  };

  // INVARIANT: I9: nobody waits for everything that one client sent at once. Between two portions of it, the others
  // have their turn.
  #takeUp(): void {
    for (let taken = 0; taken < LINES_PER_TURN; taken += 1) {
      if (!this.#hasRoom()) return;
      const line = this.#nextLine();
      if (line === null || !this.#memory.hasShare(this.#underWay, line.length)) return;
      if (!this.#lines.take(line.length, this.#goOn)) return;
      this.#memory.take(line.length);
      this.#line = null;
      this.hasAsked = true;
      this.#answer(line);
    }
    if (this.#line === null && this.#rest.length === 0) return;
    this.#hasHadTurn = true;
    setImmediate(() => {
      this.#hasHadTurn = false;
      this.#goOn();
    });
  }

  #nextLine(): Buffer | null {
    while (this.#line === null && this.#rest.length > 0) {
      const end = this.#rest.indexOf(NEWLINE) + 1;
      const piece = end === 0 ? this.#rest : this.#rest.subarray(0, end);
      this.#rest = this.#rest.subarray(piece.length);
      this.#splitter.push(piece);
    }
    return this.#line;
  }

  #answer(line: Buffer): void {
    const { length } = line;
    const answering = answerLine(line, this.#verbs, this.#turns);
    this.#unanswered.add(answering);
    this.#underWay += length;
    void answering.line.then((response) => {
      this.#unanswered.delete(answering);
      this.#underWay -= length;
      this.#memory.giveBack(length);
      this.#write(response);
      this.#goOn();
    });
  }

  #hasRoom(): boolean {
    return this.#unanswered.size < LIMITS.socketPipeline && this.#memory.hasRoom(this.#socket);
  }

  #write(line: string): void {
    if (this.#socket.writable) writeTogether(this.#socket, line);
  }
}
