/** One line on a socket of the host and the line that answers it, for requests that no honest client sends. */
import { once } from "node:events";
import { connect } from "node:net";

export interface SocketAnswer {
  readonly ok: boolean;
  readonly value?: unknown;
  readonly error?: { readonly code: string; readonly reason: string };
}

/** LIMIT: time for an answer. */
const ANSWER_MS = 20_000;

/** Null where the host closed the connection, or said nothing in time. */
export async function askSocket(path: string, line: string): Promise<SocketAnswer | null> {
  const socket = connect(path);
  socket.on("error", () => undefined).setTimeout(ANSWER_MS, () => socket.destroy());
  let text = "";
  const answered = new Promise<void>((resolve) => {
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("utf8");
      if (text.includes("\n")) resolve();
    });
    socket.once("close", () => resolve());
  });
  socket.once("connect", () => socket.write(`${line}\n`));
  await answered;
  const closed = socket.destroyed ? null : once(socket, "close");
  socket.destroy();
  await closed;
  const end = text.indexOf("\n");
  return end === -1 ? null : (JSON.parse(text.slice(0, end)) as SocketAnswer);
}

/** A protocol message, whatever its bytes, as it travels on the agent's socket. */
export function proposal(message: string | Uint8Array): string {
  return JSON.stringify({ id: 1, verb: "propose", message: Buffer.from(message).toString("base64") });
}
