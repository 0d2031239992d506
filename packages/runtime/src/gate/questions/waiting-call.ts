/** A call that waits for operators, as long as its question is open. */
import type { JsonObject } from "@femtoclaw/capabilities";
import type { ExecutionId } from "@femtoclaw/protocol";

export interface WaitingCall {
  /** Sequence number of the question's record, which is also the identifier of the approval. */
  readonly seq: number;
  readonly execution: ExecutionId;
  readonly session: string;
  readonly tool: string;
  readonly revision: string;
  /** Digest of the call, its facts and the rules that ask. An answer is given to this digest. */
  readonly digest: string;
  readonly approvers: number;
  /** Operators who have said yes: the key of one who signed, else the name. */
  readonly granted: readonly string[];
  /** Expiry on the wall clock, for people and for the time after a restart. */
  readonly expiresUs: number;
  /** Expiry on the monotonic clock of this boot, which nobody can set. */
  readonly deadlineUs: number;
  /** Arguments that hold secrets. They are in no record, so they live only as long as this boot. */
  readonly secretArgs: JsonObject | null;
  /** Bytes of these arguments as JSON text; 0 if there are none. */
  readonly secretBytes: number;
}
