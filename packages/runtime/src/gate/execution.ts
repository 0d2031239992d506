/** What the gate knows about one execution in progress; dropped when the execution ends. */

import type { AgentLaunch, BoundArguments, Capability, Kept, PreparedEffect } from "@femtoclaw/capabilities";
import type { JournalEntry } from "@femtoclaw/journal";
import type { DecisionShare } from "@femtoclaw/policy";
import type {
  DecisionCode,
  ExecutionId,
  ExecutionRefusedBody,
  Facts,
  FemtoError,
  Mark,
  RecordActor,
  Reply,
  ReplyError,
  SessionId,
  ToolCall,
  TraceContext,
} from "@femtoclaw/protocol";
import type { Relay, RelayWishes } from "../relay/relays.ts";
import type { Leave } from "./admission/door.ts";
import type { Release } from "./admission/fair-slots.ts";
import type { SessionQuota } from "./admission/session-quota.ts";
import type { Carried } from "./effects/carried.ts";
import type { Connections } from "./effects/connections.ts";
import type { OnTrial, Registered, Standing } from "./gate-parts.ts";
import type { WaitingCall } from "./questions/waiting-call.ts";
import { type CapabilitySecrets, NO_SECRETS } from "./schemas/argument-validators.ts";
import type { EndingEvent, Problem } from "./verdict.ts";

export interface Execution {
  readonly id: ExecutionId;
  readonly session: SessionId;
  readonly actor: RecordActor;
  readonly quota: SessionQuota;
  /** Caches the answers that policy gave to this session. */
  readonly share: DecisionShare;
  /**
   * Makes sure that the session's own record stands before its first call's. Returns false if the session is over and
   * may have no more records.
   */
  readonly introduce: () => boolean;
  readonly label: string | null;
  /** The position in an external trace that the proposer claims for this call. */
  readonly trace: TraceContext | null;
  readonly bytes: Uint8Array;
  /** The question that this call waited for; null for a call that comes straight from its proposer. */
  readonly waited: WaitingCall | null;
  /** Why a call that waited cannot go on; null if it can. */
  readonly lost: { readonly event: "denied" | "factsFailed"; readonly problem: Problem } | null;
  readonly receivedUs: number;
  /** What an operator launches with this call; absent for an ordinary call. */
  readonly launch?: AgentLaunch | undefined;
  /** What the proposer wants to be told about MCP servers; absent for a call that waited for operators. */
  readonly wishes?: RelayWishes | undefined;
  /**
   * Aborted when the proposer cancels, the operator halts, or the time is over. Only the function `abort` may abort it.
   */
  readonly abort: AbortController;
  /**
   * What the gate does on an abort while the effect runs. Listening to the signal would cost as much as the rest of a
   * call.
   */
  onAbort: (() => void) | null;
  /** Set before the effect begins if the effect must not begin any more. */
  stopReason: string | null;
  call: ToolCall | null;
  capability: Capability | null;
  /** Identifies the files that are to run, if the capability is a package. */
  codeSha256: string | null;
  /** Where the capability's schemas mark secrets. Nothing is marked until the capability is known. */
  secrets: CapabilitySecrets;
  /** What was in force when the facts were taken. */
  standing: Standing | null;
  facts: Facts | null;
  /** The marks that the call puts on its principal, from its intent on. */
  marks: readonly Mark[];
  /** The most bytes that the call may get back. The session's history counts these until the real number is known. */
  reservedBytes: number;
  bound: BoundArguments | null;
  /** What stood at the call's paths before its effect. */
  kept: readonly Kept[];
  /** What MCP servers said to this call besides the answer; null before its effect. */
  relay: Relay | null;
  /** The connections of the call's programs, while its effect runs. */
  connections: Connections | null;
  /** What it carries to the host that it names itself, counted from its effect on. */
  carried: Carried | null;
  revision: string | null;
  rules: readonly string[];
  /** The rules that were on trial when the call was decided; null if there were none. */
  onTrial: OnTrial | null;
  /** The question about this call that operators said yes to, if there was one, and the rules that asked it. */
  approval: number | null;
  askedBy: readonly string[];
  /** Why a permitted call gets no intent. If this is null, `committing` is the intent on its way to the disk. */
  heldBack: Problem | null;
  committing: Promise<{ readonly seq: number }> | null;
  /** What was prepared while the intent was being written; null if there was nothing to prepare. */
  prepared: Prepared | null;
  /** Sequence number of the intent, once the intent is durable. */
  intent: number | null;
  /** The record that ends the execution, and what the reply says. */
  ending: Ending | null;
  /** How the execution leaves the gate if no record of its own ends it; the reply says why. */
  unrecorded: "collapsed" | "commitFailed" | null;
  reply: Reply | null;
  release: Release | null;
  readonly leave: Leave;
  /** Gives back the room for the outcome, which was taken before the intent. */
  releaseRoom: Release | null;
}

/** A prepared effect, with the registry entry that it was prepared by. */
export interface Prepared {
  readonly effect: PreparedEffect;
  readonly by: Registered;
}

export interface Ending {
  readonly event: EndingEvent;
  readonly decision: DecisionCode;
  readonly entry: JournalEntry;
  readonly result?: Record<string, unknown>;
  readonly error?: ReplyError;
}

export type RefusalEvent = ExecutionRefusedBody["event"];

type Came = Pick<Execution, "id" | "label" | "trace" | "waited" | "lost" | "receivedUs" | "release" | "leave">;
type Proposer = Pick<Execution, "session" | "actor" | "quota" | "share" | "introduce" | "bytes" | "launch" | "wishes">;

/**
 * An execution of which nothing is known yet but what it came with. Every field is written out so that the JavaScript
 * engine allocates the object once and at full size; spreading several parts into one would allocate more than once.
 */
export function newExecution(came: Came, by: Proposer): Execution {
  return {
    id: came.id,
    session: by.session,
    actor: by.actor,
    quota: by.quota,
    share: by.share,
    introduce: by.introduce,
    label: came.label,
    trace: came.trace,
    bytes: by.bytes,
    waited: came.waited,
    lost: came.lost,
    receivedUs: came.receivedUs,
    launch: by.launch,
    wishes: by.wishes,
    release: came.release,
    leave: came.leave,
    abort: new AbortController(),
    onAbort: null,
    stopReason: null,
    call: null,
    capability: null,
    codeSha256: null,
    secrets: NO_SECRETS,
    standing: null,
    facts: null,
    marks: [],
    reservedBytes: 0,
    bound: null,
    kept: [],
    relay: null,
    connections: null,
    carried: null,
    revision: null,
    rules: [],
    onTrial: null,
    approval: null,
    askedBy: [],
    heldBack: null,
    committing: null,
    prepared: null,
    intent: null,
    ending: null,
    unrecorded: null,
    reply: null,
    releaseRoom: null,
  };
}

const NO_BYTES = new Uint8Array();

/**
 * What outlives the call that began it, such as a terminal, keeps this of the call: what it is decided by. INVARIANT: I9:
 * nothing in it is as large as its proposer likes.
 */
export function openingOf(execution: Execution): Execution {
  const { call } = execution;
  return { ...execution, bytes: NO_BYTES, bound: null, call: call === null ? null : { ...call, args: {} } };
}

/** Asks the effect to stop. Only the first call has an effect. */
export function abort(execution: Execution, reason: FemtoError): void {
  if (execution.abort.signal.aborted) return;
  execution.abort.abort(reason);
  execution.onAbort?.();
}
