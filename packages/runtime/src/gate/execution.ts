/** What the gate knows of one execution on its way; dropped when the execution ends. */

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
import { type CapabilitySecrets, NO_SECRETS } from "./argument-validators.ts";
import type { Carried } from "./carried.ts";
import type { Connections } from "./connections.ts";
import type { Leave } from "./door.ts";
import type { Release } from "./fair-slots.ts";
import type { OnTrial, Registered, Standing } from "./gate-parts.ts";
import type { WaitingCall } from "./questions.ts";
import type { SessionQuota } from "./session-quota.ts";
import type { EndingEvent, Problem } from "./verdict.ts";

export interface Execution {
  readonly id: ExecutionId;
  readonly session: SessionId;
  readonly actor: RecordActor;
  readonly quota: SessionQuota;
  /** Remembers what the session was answered by the policy. */
  readonly share: DecisionShare;
  /** Lets the session's own record stand before its first call's; false when the session is over and may have none. */
  readonly introduce: () => boolean;
  readonly label: string | null;
  /** Where in a trace of others its proposer says that it stands. */
  readonly trace: TraceContext | null;
  readonly bytes: Uint8Array;
  /** The question that this call waited for; null for one that comes from its proposer. */
  readonly waited: WaitingCall | null;
  /** Why a call that waited cannot go on; null where it can. */
  readonly lost: { readonly event: "denied" | "factsFailed"; readonly problem: Problem } | null;
  readonly receivedUs: number;
  /** What an operator launches with it; absent where it is an ordinary call. */
  readonly launch?: AgentLaunch | undefined;
  /** What its proposer wants to be told of MCP servers; nothing for one that waited for operators. */
  readonly wishes?: RelayWishes | undefined;
  /** Aborts when the proposer cancels, the operator halts, or the time is over: by `abort`, and by nothing else. */
  readonly abort: AbortController;
  /** What the gate does then, while the effect runs. To listen to the signal would cost as much as all the rest of a call. */
  onAbort: (() => void) | null;
  /** Set before the effect begins when it must not begin any more. */
  stopReason: string | null;
  call: ToolCall | null;
  capability: Capability | null;
  /** Names the files that are to run, where they are those of a package. */
  codeSha256: string | null;
  /** Where the capability's schemas mark secrets; nothing is marked while no capability is known. */
  secrets: CapabilitySecrets;
  /** What was in force when its facts were taken. */
  standing: Standing | null;
  facts: Facts | null;
  /** What the call marks its principal with, from its intent on. */
  marks: readonly Mark[];
  /** The most that the call may get back, which its session's history counts until it is known. */
  reservedBytes: number;
  bound: BoundArguments | null;
  /** What stood at its paths before its effect. */
  kept: readonly Kept[];
  /** What it was told by an MCP server beside the answer; null before its effect. */
  relay: Relay | null;
  /** What its programs connect to, while its effect runs. */
  connections: Connections | null;
  /** What it carries to the host that it names itself, counted from its effect on. */
  carried: Carried | null;
  revision: string | null;
  rules: readonly string[];
  /** The rules that were on trial when it was decided; null where none were. */
  onTrial: OnTrial | null;
  /** Question that operators said yes to, where one was asked about this call, and the rules that asked. */
  approval: number | null;
  askedBy: readonly string[];
  /** Why a permitted call gets no intent; else its intent on the way to the disk. */
  heldBack: Problem | null;
  committing: Promise<{ readonly seq: number }> | null;
  /** What was made ready meanwhile; null where there was nothing to. */
  prepared: Prepared | null;
  /** Sequence number of the intent, once it is durable. */
  intent: number | null;
  /** The record that ends the execution, and what the reply says. */
  ending: Ending | null;
  /** How it leaves the gate where no record of its own ends it; the reply says why. */
  unrecorded: "collapsed" | "commitFailed" | null;
  reply: Reply | null;
  release: Release | null;
  readonly leave: Leave;
  /** Gives back the room for the outcome, which is taken before the intent. */
  releaseRoom: Release | null;
}

/** An effect made ready by what the registry said at that time. */
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
 * An execution of which nothing is known yet but what it came with. Written out, so that the JavaScript engine allocates
 * the object once and in its full size; spreading several parts into one would allocate more than one.
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

/** Asks the effect to stop, once. */
export function abort(execution: Execution, reason: FemtoError): void {
  if (execution.abort.signal.aborted) return;
  execution.abort.abort(reason);
  execution.onAbort?.();
}
