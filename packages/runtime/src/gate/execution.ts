/** What the gate knows of one execution on its way; dropped when the execution ends. */

import type { BoundArguments, Capability } from "@femtoclaw/capabilities";
import type { JournalEntry } from "@femtoclaw/journal";
import type { DecisionShare } from "@femtoclaw/policy";
import type {
  ExecutionId,
  ExecutionRefusedBody,
  Facts,
  RecordActor,
  Reply,
  ReplyError,
  SessionId,
  ToolCall,
} from "@femtoclaw/protocol";
import type { CapabilitySecrets } from "./argument-validators.ts";
import type { Release } from "./fair-slots.ts";
import type { SessionQuota } from "./session-quota.ts";
import type { EndingEvent } from "./verdict.ts";

export interface Execution {
  readonly id: ExecutionId;
  readonly session: SessionId;
  readonly actor: RecordActor;
  readonly quota: SessionQuota;
  /** Remembers what the session was answered by the policy. */
  readonly share: DecisionShare;
  /** Lets the session's own record stand before its first call's. */
  introduce(): void;
  readonly label: string | null;
  readonly bytes: Uint8Array;
  readonly receivedUs: number;
  /** Aborts when the proposer cancels, the operator halts, or the time is over. */
  readonly abort: AbortController;
  /** Set before the effect begins when it must not begin any more. */
  stopReason: string | null;
  call: ToolCall | null;
  capability: Capability | null;
  /** Where the capability's schemas mark secrets; nothing is marked while no capability is known. */
  secrets: CapabilitySecrets;
  facts: Facts | null;
  bound: BoundArguments | null;
  revision: string | null;
  rules: readonly string[];
  /** Sequence number of the intent, once it is durable. */
  intent: number | null;
  /** The record that ends the execution, and what the reply says. */
  ending: Ending | null;
  reply: Reply | null;
  release: Release | null;
  /** Gives back the room for the outcome, which is taken before the intent. */
  releaseRoom: Release | null;
}

export interface Ending {
  readonly event: EndingEvent;
  readonly entry: JournalEntry;
  readonly result?: Record<string, unknown>;
  readonly error?: ReplyError;
}

export type RefusalEvent = ExecutionRefusedBody["event"];
