/** What the agent loop needs of a host: an `AgentClient` is one, and so is a session of an embedded runtime. */
import type { Reply, ToolDescription } from "@femtoclaw/protocol";

export interface Gate {
  /** The capabilities that may be proposed; a list promises nothing. */
  tools(): Promise<readonly ToolDescription[]> | readonly ToolDescription[];
  /** Proposes one protocol message. Denials and failures are replies; it rejects where nobody can answer. */
  propose(message: Uint8Array, options?: ProposeOptions): Promise<Reply>;
  /** What a call ends with that waits for an operator. */
  wait(execution: string): Promise<Reply>;
  /** Asks a call to end. */
  cancel(execution: string): Promise<boolean> | boolean;
}

export interface ProposeOptions {
  /** A name for the call, recorded with it. */
  readonly label?: string;
  /** Aborted when the call is wanted no more. */
  readonly signal?: AbortSignal;
}
