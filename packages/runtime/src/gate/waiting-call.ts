/** A call that waits for operators, as long as its question is open. */
import type { JsonObject } from "@femtoclaw/capabilities";
import type { ExecutionId } from "@femtoclaw/protocol";

export interface WaitingCall {
  /** Sequence number of the question's record, and identifier of the approval. */
  readonly seq: number;
  readonly execution: ExecutionId;
  readonly session: string;
  readonly tool: string;
  readonly revision: string;
  /** Of the call, its facts and the rules that ask: an answer is to this. */
  readonly digest: string;
  readonly approvers: number;
  /** Operators who have said yes: the key of one who signed, else the name. */
  readonly granted: readonly string[];
  /** On the wall clock, for people and for the time after a restart. */
  readonly expiresUs: number;
  /** On the clock of this boot, which nobody sets. */
  readonly deadlineUs: number;
  /** Arguments that hold secrets, which are in no record: they live as long as this boot. */
  readonly secretArgs: JsonObject | null;
}
