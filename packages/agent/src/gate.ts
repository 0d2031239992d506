/** What the agent loop needs of a host: an `AgentClient` is one, and so is a session of an embedded runtime. */
import type { Reply, ToolDescription } from "@femtoclaw/protocol";

/** Where calls are proposed. */
export interface Gate {
  /** The capabilities that may be proposed; a list promises nothing. */
  tools(): Promise<readonly ToolDescription[]> | readonly ToolDescription[];
  /** Proposes one protocol message. Denials and failures are replies; it rejects where nobody can answer. */
  propose(message: Uint8Array, options?: ProposeOptions): Promise<Reply>;
  /** The reply that a call ends with that waits for an operator. Rejects where nobody can tell. */
  wait(execution: string): Promise<Reply>;
  /** Asks a call to end; false when it is unknown or has ended. */
  cancel(execution: string): Promise<boolean> | boolean;
}

/** What goes with one proposal and is not part of its message. */
export interface ProposeOptions {
  /** A name for the call, recorded with it. */
  readonly label?: string;
  /** Aborted when the call is wanted no more. */
  readonly signal?: AbortSignal;
}
