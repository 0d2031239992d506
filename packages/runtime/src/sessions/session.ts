/**
 * One proposer's connection to the gate, as embedding programs and the host's sockets use it, and the checks of its
 * options for callers without types.
 */
import type { AgentLaunch } from "@femtoclaw/capabilities";
import {
  ASK_KINDS,
  type ExecutionId,
  isAskKind,
  isLogLevel,
  LOG_LEVELS,
  malformed,
  type ProtocolMessage,
  type Reply,
  requireFields,
  type SessionId,
  type TraceFields,
  type WatchedChanges,
} from "@femtoclaw/protocol";
import { type NamesOf, requireKnownNames } from "../known-names.ts";
import type { OutputReader } from "../outputs/outputs.ts";
import type { ChangesRequest } from "../relay/changes.ts";
import type { RelayWishes } from "../relay/relays.ts";

/** Options of one proposal that are not part of its message. All of them are optional. */
export interface ProposeOptions {
  /** A name for this call. It is recorded without secrets, and cut if it is long. */
  readonly label?: string;
  /**
   * The proposer's W3C trace context. The span of the call becomes a child of that span. Malformed parts are ignored.
   */
  readonly trace?: TraceFields;
  /** Aborted when the proposer no longer wants the call, which is then cancelled as by `cancel`. */
  readonly signal?: AbortSignal;
  /**
   * What the proposer wants to hear from an MCP server besides the answer. Progress is passed on with the output in any
   * case.
   */
  readonly wishes?: RelayWishes;
  /** Called with the identifier of the execution before anything else happens, so that its output can be followed. */
  readonly onIdentified?: (execution: ExecutionId) => void;
  /** The agent that an operator launches with this very call. No call launches anything without it. */
  readonly launch?: AgentLaunch;
}

/** Lets somebody who waits for many replies, each as large as a result, say when the next one may be read. */
export interface ReadingTurns {
  /** Whether the reader would take a reply now. */
  readonly hasRoom: boolean;
  /** Aborted when the reader waits for nothing any more. */
  readonly left?: AbortSignal;
  next<T>(read: () => Promise<T>): Promise<T>;
}

/** Throws FEMTO_SOCKET_REQUEST for turns that the types forbid. */
export function requireTurns(turns: ReadingTurns): void {
  requireFields("`turns`", turns);
  const { next, left } = turns;
  if (typeof next !== "function") throw malformed("`turns.next` must be a function");
  if (left !== undefined && !isSignal(left)) throw malformed("`turns.left` must be an AbortSignal");
}

/** One proposer. Everything proposed is validated, decided, executed and recorded before it is answered. */
export interface Session extends AsyncDisposable {
  /** Assigned by the runtime, and present in each record of the session. */
  readonly id: SessionId;
  /**
   * Proposes one protocol message: bytes as they arrived, or a message object such as `{ tool_call: { tool, args } }`.
   * Resolves with the reply once the outcome is durable. If an operator is asked about the call, the reply has `status:
   * "pending"`, and `wait` returns the final one. Denials, failures and protocol errors are replies, not exceptions.
   * Throws a `TypeError` if the session is closed or an option is unknown.
   */
  propose(message: Uint8Array | ProtocolMessage, options?: ProposeOptions): Promise<Reply>;
  /**
   * Resolves with the final reply of an execution once it has ended. For a call that waited for an operator, this works
   * across a restart too, even if another session of the same principal proposed it. Throws FEMTO_EXECUTION_NOT_FOUND
   * if the journal does not know the execution or it belongs to another principal, and FEMTO_DRAINING if the host stops
   * first. The reply is read from the journal at once, or when `turns` allows it.
   */
  wait(execution: string, turns?: ReadingTurns): Promise<Reply>;
  /** Output of this session's executions while they run. */
  readonly outputs: OutputReader;
  /**
   * Changes beside the session's calls: in what is offered, and in resources of MCP servers that it is subscribed to.
   * Throws FEMTO_OVERLOADED if too many wait, and FEMTO_DRAINING.
   */
  changes(request: ChangesRequest): Promise<WatchedChanges>;
  /** Ends a subscription of this session; false if there is none. */
  unsubscribe(server: string, uri: string): boolean;
  /**
   * Answers a question that the MCP server of a call of this session asks its client. Throws if this does not answer an
   * open question.
   */
  answer(question: string, answers: unknown): Promise<void>;
  /** Asks an execution of this session to end. False if it is unknown here or has ended. */
  cancel(execution: string): boolean;
  /** Closes the session. Executions proposed so far go on; further proposals are refused. */
  close(): void;
}

/** The proposer of a session, as described by the code that opens it. */
export interface SessionOptions {
  /** The way by which the proposer came. */
  readonly channel: "library" | "agent" | "operator";
  /** The name that the proposer gives itself. */
  readonly label?: string;
  /**
   * The agent of the configuration for which the session proposes. The code that opens the session knows it from the
   * way the proposer came; the proposer's own word would prove nothing. Without this option the session has the rights
   * that everybody has.
   */
  readonly principal?: string;
}

const SESSION_OPTIONS: NamesOf<SessionOptions> = { channel: true, label: true, principal: true };
const CHANNELS: readonly unknown[] = ["library", "agent", "operator"] satisfies SessionOptions["channel"][];

/**
 * Throws a `TypeError` for options that the types forbid. INVARIANT: I5: a record of a session holds only what the
 * schema of records allows, or nobody could read it back.
 */
export function requireSessionOptions(options: SessionOptions): void {
  requireKnownNames("openSession", options, SESSION_OPTIONS);
  if (!CHANNELS.includes(options.channel)) throw new TypeError(`a channel is one of ${CHANNELS.join(", ")}`);
  requireText("label", options.label);
  requireText("principal", options.principal);
}

function requireText(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== "string") throw new TypeError(`\`${name}\` must be a text`);
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
 * The options as they are now. Each is read once, so that what was checked is what is used. Throws a `TypeError` for
 * options that the types forbid. INVARIANT: I9: such options are refused before the call takes a place in the gate, and
 * none of them is called while it has that place, because nobody would give the place back if it threw.
 */
export function takenOptions(options: ProposeOptions): ProposeOptions {
  requireKnownNames("propose", options, PROPOSE_OPTIONS);
  const taken = { ...options };
  const { label, trace, signal, wishes, onIdentified } = taken;
  requireText("label", label);
  if (trace !== undefined && Object(trace) !== trace) throw new TypeError("`trace` must be an object");
  if (signal !== undefined && !isSignal(signal)) {
    throw new TypeError("`signal` is not an AbortSignal; the `signal` of an AbortController is one");
  }
  if (onIdentified !== undefined && typeof onIdentified !== "function") {
    throw new TypeError("`onIdentified` must be a function");
  }
  return wishes === undefined ? taken : { ...taken, wishes: takenWishes(wishes) };
}

/** Also for signals of another realm, which are instances of another class. */
function isSignal(signal: unknown): boolean {
  const { aborted, addEventListener, removeEventListener } = Object(signal) as Readonly<Record<string, unknown>>;
  return (
    typeof aborted === "boolean" && [addEventListener, removeEventListener].every((one) => typeof one === "function")
  );
}

function takenWishes(wishes: RelayWishes): RelayWishes {
  if (Object(wishes) !== wishes) throw new TypeError("`wishes` must be an object");
  const { canAnswer, logLevel } = wishes;
  const isList = canAnswer === undefined || (Array.isArray(canAnswer) && canAnswer.every(isAskKind));
  if (!isList) throw new TypeError(`\`wishes.canAnswer\` is a list of ${ASK_KINDS.join(", ")}`);
  if (logLevel !== undefined && !isLogLevel(logLevel)) {
    throw new TypeError(`\`wishes.logLevel\` is one of ${LOG_LEVELS.join(", ")}`);
  }
  return {
    ...(canAnswer === undefined ? {} : { canAnswer: [...canAnswer] }),
    ...(logLevel === undefined ? {} : { logLevel }),
  };
}
