/** What the runtime knows of a capability: a manifest that it declares, and an effect that it performs when told to. */
import type { Duplex } from "node:stream";
import type {
  Authority,
  CapabilityManifest,
  ErrorCode,
  JsonValue,
  LeftBehind,
  OutputStream,
  PathQuestion,
} from "@femtoclaw/protocol";
import type { AgentSettings, ChildLimits, SandboxView } from "@femtoclaw/sandbox";
import type { AgentProcess } from "./agent/agent-process.ts";
import type { BoundArguments, BoundHost } from "./facts/bound-arguments.ts";
import type { BoundConnection } from "./facts/connection.ts";
import type { Kept } from "./files/kept.ts";
import type { CallRelay } from "./mcp/upstream-notice.ts";
import type { PtySize } from "./terminal/pty.ts";
import type { Terminal, TerminalRequest } from "./terminal/terminal.ts";

/** A JSON object: the arguments of a call, or its result. */
export type JsonObject = { [key: string]: JsonValue };

/**
 * Where the effect happens: in a sandboxed child, in the host on files held open by the facts, or in third-party code.
 */
export type Isolation = "sandbox" | "host" | "in-process";

/** Something that agents may call. */
export interface Capability {
  /** Name, schemas, limits, and which arguments name a resource; facts are taken from these arguments alone. */
  readonly manifest: CapabilityManifest;
  readonly isolation: Isolation;
  /**
   * The embedder vouches that the code of this capability may be trusted with everything that this process can do.
   * INVARIANT: without this, nothing runs `in-process`.
   */
  readonly trusted?: true;
  /** Its schemas come from a stranger: they are interpreted in bounded time, never compiled into code. */
  readonly interpreted?: true;
  /**
   * What is kept of each path that a call may create or change, durable before the effect, so that an operator can undo
   * it: the content of a file, or only what stood there. If absent, nothing is kept.
   */
  readonly keeps?: "content" | "names";
  /** Only an operator can launch it; in other sessions it does not exist. */
  readonly isLaunched?: true;
  /**
   * Called for permitted calls while their intent is being written to the disk; null if there is nothing to prepare.
   * INVARIANT: I1: preparing performs nothing of the call. What was prepared does nothing after it was disposed of.
   */
  prepare?(call: CallToPrepare): PreparedEffect | null;
  /** Called for permitted calls only. A failure of the effect is an outcome; a throw is a bug. */
  execute(call: CapabilityCall): Promise<CapabilityOutcome>;
}

/** What is known of a permitted call before its intent is durable. */
export interface CallToPrepare extends Pick<CapabilityCall, "args" | "bound" | "sandbox" | "limits"> {
  /** Whether programs of the call may connect to anything. */
  readonly connects: boolean;
}

/** A prepared effect. It is disposed of when the call is over, whether it was executed or not. */
export interface PreparedEffect extends Disposable {
  execute(call: CapabilityCall): Promise<CapabilityOutcome>;
}

/** One permitted call, as its capability gets it. */
export interface CapabilityCall {
  /** Identifier of the execution. Nobody else uses it, so it names what is the call's own. */
  readonly id: string;
  /** Valid against the manifest's input schema. */
  readonly args: JsonObject;
  /** What the facts resolved and the policy decided on: the only way to the files and programs of the call. */
  readonly bound: BoundArguments;
  /** Aborts when the call has run out of time or is no longer wanted. */
  readonly signal: AbortSignal;
  /**
   * Asks for a turn to work within the host's process for a fraction of a millisecond: null grants it at once, a
   * promise when it resolves. Sessions take turns by it, however many calls each has under way.
   */
  turn(): Promise<void> | null;
  /** Milliseconds of the effect, bytes of its result, and what a child may use. */
  readonly limits: { readonly timeoutMs: number; readonly outputBytes: number; readonly child: ChildLimits };
  /** What the operator allowed, as of the decision. */
  readonly authority: Authority;
  /** One for each path that may be created, in that order; empty if the capability keeps nothing. */
  readonly kept: readonly Kept[];
  /**
   * Whether policy also permits this use for a path below one that was decided on. Throws if it cannot say so any more
   * because another policy is in force by now.
   */
  mayReach(path: string, type: PathQuestion["type"]): boolean;
  /** Null if this machine has no sandbox; a capability that needs one then refuses. */
  readonly sandbox: SandboxView | null;
  /** Asks the gate whether the effect may go on to another URL. The answer is durable before it is returned. */
  readonly goOn: (next: NextHop) => Promise<HopAnswer>;
  /**
   * Asks the gate whether a program of the call may connect to `host:port`; null if none of its programs may connect to
   * anything. The answer is durable before it is returned.
   */
  readonly connect: ((target: string) => Promise<ConnectAnswer>) | null;
  /** Counts the traffic with the host that the call itself names, for the record and the budget of its session. */
  trafficAt(host: string): Traffic;
  /** Keeps terminals open beyond the call that opened them. */
  readonly terminals: TerminalKeeper;
  /** For words of which only a part is told: half of a secret would not be recognized, so secrets are taken out first. */
  withoutSecrets(text: string): string;
  /** Gets the output of the call's program as it arrives; nobody waits for it. Absent if nobody looks on. */
  readonly onOutput?: (stream: OutputStream, piece: Uint8Array) => void;
  /** Gets what an MCP server sends beside its answer. Absent if nobody looks on. */
  readonly relay?: CallRelay;
  /** What an operator launched the agent with, beside the arguments; absent for a call that needs no operator. */
  readonly launch?: AgentLaunch;
}

/** What an agent is launched with. INVARIANT: I10: none of it is in a record. */
export interface AgentLaunch {
  /** Variables for this agent alone. */
  readonly variables: Readonly<Record<string, string>>;
  /** Files that are written for it, and where its relay leads. */
  readonly settings: AgentSettings;
  /** The size of its terminal; null if it gets pipes. */
  readonly size: PtySize | null;
  /** Called once the agent runs. */
  attached(agent: AgentProcess): void;
  /** Serves one connection by which the agent proposes. */
  serve(connection: Duplex): void;
}

/** The host and the only addresses to which a program may connect, or why it may not. */
export type ConnectAnswer =
  | {
      readonly ok: true;
      readonly bound: BoundConnection;
      /** Counts what happens on its connections, for the record. */
      readonly traffic: Traffic;
      /** Aborts when the connection, once permitted, is forbidden. */
      readonly revoked: AbortSignal;
    }
  | { readonly ok: false; readonly reason: string; readonly rules: readonly string[] };

/** Counts of what happened on connections, updated as it happens. */
export interface Traffic {
  connections: number;
  refused: number;
  bytesOut: number;
  bytesIn: number;
}

/** Keeps what goes on after the call that began it, for the session of that call. */
export interface TerminalKeeper {
  /**
   * Starts a terminal and keeps it; resolves with its identifier once that is recorded. Throws FEMTO_TERMINAL_LIMIT, or
   * the reason why it cannot start; nothing runs then.
   */
  open(request: TerminalRequest, start: (request: TerminalRequest) => Promise<Terminal>): Promise<string>;
  /** Ends the terminal if it has not ended, and forgets it. */
  close(id: string): Promise<void>;
}

/** The request that would be sent next. */
export interface NextHop {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly hasBody: boolean;
}

/** The host and the only addresses to which the effect may go on, or why it may not. */
export type HopAnswer =
  | { readonly ok: true; readonly host: BoundHost }
  | { readonly ok: false; readonly reason: string };

/** How the effect ended. `sandbox` names what confined it; null if nothing did. */
export type CapabilityOutcome =
  | {
      readonly event: "succeeded";
      readonly result: JsonObject;
      readonly sandbox: string | null;
      /** What stands at the changed paths afterwards; absent if the change cannot be undone. */
      readonly left?: LeftBehind;
    }
  | {
      readonly event: "failed" | "timedOut" | "cancelled" | "contained";
      readonly code: ErrorCode;
      readonly reason: string;
      /** What the reader can do next. */
      readonly fix: string;
      readonly sandbox: string | null;
    };
