/** Connects a chat to its gate, the host's agent socket. */
import type { Gate, ProposeOptions } from "@femtoclaw/agent";
import type { Connect, Proposer } from "@femtoclaw/mcp";
import { FemtoError, type Reply, type ToolDescription } from "@femtoclaw/protocol";

/**
 * A connection is one session. A lost connection is replaced when the next turn begins, never within a turn, so that no
 * call continues in another session than the one it began in.
 */
export class ChatHost implements Gate, AsyncDisposable {
  readonly #connect: Connect;
  #client: Proposer | null = null;

  constructor(connect: Connect) {
    this.#connect = connect;
  }

  async tools(): Promise<readonly ToolDescription[]> {
    if (this.#client === null) {
      const client = await this.#connect({ label: "femtoclaw chat", start: true });
      this.#client = client;
      void client.closed.then(() => {
        this.#client = null;
      });
    }
    return await this.#client.tools();
  }

  propose(message: Uint8Array, options?: ProposeOptions): Promise<Reply> {
    return this.#client?.propose(message, options) ?? Promise.reject(lost());
  }

  wait(execution: string): Promise<Reply> {
    return this.#client?.wait(execution) ?? Promise.reject(lost());
  }

  cancel(execution: string): Promise<boolean> {
    return this.#client?.cancel(execution) ?? Promise.resolve(false);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.close();
  }
}

function lost(): FemtoError {
  return new FemtoError("FEMTO_HOST_NOT_RUNNING", "the connection to the host was lost");
}
