/**
 * One proposer's connection to the gate, as an embedding program and the host's sockets see it, and what its options are
 * held to where no types are.
 */
import type { AgentLaunch } from "@femtoclaw/capabilities";
import type { ExecutionId, ProtocolMessage, Reply, SessionId, TraceFields, WatchedChanges } from "@femtoclaw/protocol";
import { type NamesOf, requireKnownNames } from "./known-names.ts";
import type { OutputReader } from "./outputs/outputs.ts";
import type { ChangesRequest } from "./relay/changes.ts";
import type { RelayWishes } from "./relay/relays.ts";

/** What goes with one proposal and is not part of its message. All of it may be left out. */
export interface ProposeOptions {
  /** A name for this call, recorded as given. */
  readonly label?: string;
  /** The W3C trace context of its proposer. Its span is a child of that one; what is not of its form is left out. */
  readonly trace?: TraceFields;
  /** Aborted when its proposer wants it no more; the call is then cancelled as by `cancel`. */
  readonly signal?: AbortSignal;
  /** What is wanted of what an MCP server says beside its answer; its progress is told with the output in any case. */
  readonly wishes?: RelayWishes;
  /** Hears the identifier of its execution before anything of it happens, so that its output can be followed. */
  readonly onIdentified?: (execution: ExecutionId) => void;
  /** What an operator launches by this very call; without it no call launches anything. */
  readonly launch?: AgentLaunch;
}

/** When somebody who waits for many replies, each as large as a result, is ready for one. */
export interface ReadingTurns {
  /** Whether he would take one now. */
  readonly hasRoom: boolean;
  next<T>(read: () => Promise<T>): Promise<T>;
}

/** One proposer. What it proposes is validated, decided, executed and recorded before it is answered. */
export interface Session extends AsyncDisposable {
  /** Given by the runtime, and in each record of the session. */
  readonly id: SessionId;
  /**
   * Proposes one protocol message: bytes as they arrived, or a message object such as `{ tool_call: { tool, args } }`.
   * Resolves with the reply once the outcome is durable; one that an operator is asked about resolves with `status:
   * "pending"`, and `wait` has its end. Denials, failures and protocol errors are replies, not exceptions; a closed
   * session throws a `TypeError`, as does what is no such option.
   */
  propose(message: Uint8Array | ProtocolMessage, options?: ProposeOptions): Promise<Reply>;
  /**
   * The reply that an execution ends with, once it does: for one that waited for an operator, also when another
   * session of the same principal proposed it, before a restart. Throws FEMTO_EXECUTION_NOT_FOUND for one that the
   * journal does not know or that is another principal's, FEMTO_DRAINING when the host stops before it ends.
   * It is read from the journal at once, or where `turns` says so.
   */
  wait(execution: string, turns?: ReadingTurns): Promise<Reply>;
  /** Output of this session's executions while they run. */
  readonly outputs: OutputReader;
  /**
   * What changes beside its calls: what is offered, and resources of MCP servers that it is subscribed to. Throws
   * FEMTO_OVERLOADED where too many wait, and FEMTO_DRAINING.
   */
  changes(request: ChangesRequest): Promise<WatchedChanges>;
  /** Ends a subscription of this session; false where there is none. */
  unsubscribe(server: string, uri: string): boolean;
  /** Answers what the MCP server of a call of this session asks its client. Throws for what is no answer to an open question. */
  answer(question: string, answers: unknown): Promise<void>;
  /** Asks an execution of this session to end; false when it is unknown here or has ended. */
  cancel(execution: string): boolean;
  /** Executions proposed so far go on; further ones are refused. */
  close(): void;
}

/** Who will propose in a session, as whoever opens it knows it. */
export interface SessionOptions {
  /** Through which door the proposer came. */
  readonly channel: "library" | "agent" | "operator";
  /** What the proposer calls itself. */
  readonly label?: string;
  /**
   * For which agent of the configuration it proposes. Who opens the session knows that by the way the proposer
   * came; a proposer's word for it would prove nothing. Without it rights are those that everybody has.
   */
  readonly principal?: string;
}

const SESSION_OPTIONS: NamesOf<SessionOptions> = { channel: true, label: true, principal: true };
const CHANNELS: readonly unknown[] = ["library", "agent", "operator"] satisfies SessionOptions["channel"][];

/**
 * Throws a `TypeError` for options that types would not let pass.
 * INVARIANT: I5: a record of a session holds only what the schema of records has, or nobody could read it back.
 */
export function requireSessionOptions(options: SessionOptions): void {
  requireKnownNames("openSession", options, SESSION_OPTIONS);
  if (!CHANNELS.includes(options.channel)) throw new TypeError(`a channel is one of ${CHANNELS.join(", ")}`);
}

const PROPOSE_OPTIONS: NamesOf<ProposeOptions> = {
  label: true,
  trace: true,
  signal: true,
  wishes: true,
  onIdentified: true,
  launch: true,
};

/**
 * Throws a `TypeError` for options that types would not let pass.
 * INVARIANT: I9: they are refused before the call takes a place in the gate, which nobody would give back.
 */
export function requireProposeOptions(options: ProposeOptions): void {
  requireKnownNames("propose", options, PROPOSE_OPTIONS);
  const { signal, wishes } = options;
  if (signal !== undefined && typeof Object(signal).addEventListener !== "function") {
    throw new TypeError("`signal` is no AbortSignal; an AbortController has one as `signal`");
  }
  if (wishes !== undefined && Object(wishes) !== wishes) throw new TypeError("`wishes` is no object");
}
