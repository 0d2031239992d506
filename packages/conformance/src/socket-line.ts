/** One line on a socket of the host and the line that answers it, for requests that no honest client sends. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface SocketAnswer {
  readonly ok: boolean;
  readonly value?: unknown;
  readonly error?: { readonly code: string; readonly reason: string };
}

/** LIMIT: time for an answer. */
const ANSWER_MS = 20_000;

/** Null where the host closed the connection, or said nothing in time. */
export async function askSocket(path: string, line: string): Promise<SocketAnswer | null> {
  await using socket = new SocketLines(path);
  return await socket.ask(line);
}

/** One connection, and so one session: lines are sent one after the other, each once the one before was answered. */
export class SocketLines implements AsyncDisposable {
  readonly #socket: Socket;
  #text = "";
  #changed: () => void = () => undefined;

  constructor(path: string) {
    this.#socket = connect(path);
    this.#socket.on("error", () => undefined).setTimeout(ANSWER_MS, () => this.#socket.destroy());
    this.#socket.on("data", (chunk: Buffer) => {
      this.#text += chunk.toString("utf8");
      this.#changed();
    });
    this.#socket.once("close", () => this.#changed());
  }

  /** A line whose answer is taken later, or by nobody. */
  send(line: string): void {
    this.#socket.write(`${line}\n`);
  }

  async ask(line: string): Promise<SocketAnswer | null> {
    this.send(line);
    return await this.next();
  }

  /** The next answer to anything that was sent; null where none comes. */
  async next(): Promise<SocketAnswer | null> {
    while (!this.#text.includes("\n") && !this.#socket.destroyed) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
    const end = this.#text.indexOf("\n");
    if (end === -1) return null;
    const answer = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 1);
    return JSON.parse(answer) as SocketAnswer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = this.#socket.closed ? null : once(this.#socket, "close");
    this.#socket.destroy();
    await closed;
  }
}

/** A protocol message, whatever its bytes, as it travels on the agent's socket. */
export function proposal(message: string | Uint8Array): string {
  return JSON.stringify({ id: 1, verb: "propose", message: Buffer.from(message).toString("base64") });
}
