/** What the agent loop needs of a host. An `AgentClient` is a `Gate`, and so is a session of an embedded runtime. */
import type { Reply, ToolDescription } from "@femtoclaw/protocol";

/** Where calls are proposed. */
export interface Gate {
  /** The capabilities that may be proposed. Being listed promises nothing. */
  tools(): Promise<readonly ToolDescription[]> | readonly ToolDescription[];
  /** Proposes one protocol message. Denials and failures are replies; it rejects if no reply can be had. */
  propose(message: Uint8Array, options?: ProposeOptions): Promise<Reply>;
  /** The final reply to a call that waits for an operator. Rejects if no reply can be had. */
  wait(execution: string): Promise<Reply>;
  /** Asks a call to end; false if it is unknown or has ended. */
  cancel(execution: string): Promise<boolean> | boolean;
}

/** Options of one proposal that are not part of its message. */
export interface ProposeOptions {
  /** A name for the call, recorded with it. */
  readonly label?: string;
  /** Aborted when the call is no longer wanted. */
  readonly signal?: AbortSignal;
}
