/** What a capability is to the runtime: a manifest that it declares, and one effect that it performs when told to. */
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

/** Where the effect happens: in a sandboxed child, by the host on what the facts hold open, or in third-party code. */
export type Isolation = "sandbox" | "host" | "in-process";

/** Something that agents may call: what it declares, and its effect. */
export interface Capability {
  /** Name, schemas, limits, and which arguments name a resource; facts are taken from these alone. */
  readonly manifest: CapabilityManifest;
  readonly isolation: Isolation;
  /**
   * Whoever registers it says that code in this process may be trusted with all that this process can do. INVARIANT:
   * without this word nothing runs `in-process`.
   */
  readonly trusted?: true;
  /** Its schemas are a stranger's: they are interpreted, in bounded time, and no code is made of them. */
  readonly interpreted?: true;
  /**
   * What is kept of each path that a call may create or change, durable before the effect, so that an operator can
   * undo it: what a file holds, or only what stood there. Nothing where it is absent.
   */
  readonly keeps?: "content" | "names";
  /** An operator has to launch it; for every other session there is no such capability. */
  readonly isLaunched?: true;
  /**
   * Called for permitted calls while their intent is on its way to the disk, where there is something to make ready;
   * null where there is not. INVARIANT: I1: nothing of the call has happened by it, and nothing does after it is disposed of.
   */
  prepare?(call: CallToPrepare): PreparedEffect | null;
  /** Called for permitted calls only. What goes wrong in the effect is an outcome; a throw is a bug. */
  execute(call: CapabilityCall): Promise<CapabilityOutcome>;
}

/** What is known of a permitted call before its intent is durable. */
export interface CallToPrepare extends Pick<CapabilityCall, "args" | "bound" | "sandbox" | "limits"> {
  /** Whether programs of the call may connect to anything. */
  readonly connects: boolean;
}

/** One effect made ready; disposed of when the call is over, whether it was executed or not. */
export interface PreparedEffect extends Disposable {
  execute(call: CapabilityCall): Promise<CapabilityOutcome>;
}

/** One permitted call, as its capability gets it. */
export interface CapabilityCall {
  /** Valid against the manifest's input schema. */
  readonly args: JsonObject;
  /** What the facts resolved and the policy decided on: the only way to the files and programs of the call. */
  readonly bound: BoundArguments;
  /** Aborts when the call has had its time, or is wanted no more. */
  readonly signal: AbortSignal;
  /**
   * Whether the effect may go on within the process of the host, for a part of a millisecond: null says at once, else it
   * may when this resolves. Sessions take turns by it, however many calls each has under way.
   */
  turn(): Promise<void> | null;
  /** Milliseconds of the effect, bytes of its result, and what a child may use. */
  readonly limits: { readonly timeoutMs: number; readonly outputBytes: number; readonly child: ChildLimits };
  /** What the operator allowed, as the decision was made by. */
  readonly authority: Authority;
  /** In the order of the paths that may be created; empty where the capability has nothing kept. */
  readonly kept: readonly Kept[];
  /**
   * Whether policy permits this very use on a path below one that was decided on, too. Throws where it cannot say
   * so any more, because another policy is in force by now.
   */
  mayReach(path: string, type: PathQuestion["type"]): boolean;
  /** Null where this machine has no sandbox; a capability that needs one then refuses. */
  readonly sandbox: SandboxView | null;
  /** Asks the gate whether the effect may go on to another URL. What it says is durable before it answers. */
  readonly goOn: (next: NextHop) => Promise<HopAnswer>;
  /**
   * Asks the gate whether a program of the call may connect to `host:port`; null where no program of the call may
   * connect to anything. What it says is durable before it answers.
   */
  readonly connect: ((target: string) => Promise<ConnectAnswer>) | null;
  /** What is counted of the host that the call itself names, for the record and the budget of its session. */
  trafficAt(host: string): Traffic;
  /** Keeps terminals after the call that opened them. */
  readonly terminals: TerminalKeeper;
  /** For words that are told in part: half of what looks like a secret looks like none, so it is taken out before. */
  withoutSecrets(text: string): string;
  /** Hears what its program writes, as it comes; nobody waits for that. Absent where nobody looks on. */
  readonly onOutput?: (stream: OutputStream, piece: Uint8Array) => void;
  /** Hears what an MCP server says beside its answer. Absent where nobody looks on. */
  readonly relay?: CallRelay;
  /** What an operator launched it with, beside what was decided on; absent where nobody has to. */
  readonly launch?: AgentLaunch;
}

/** What an agent is launched with. INVARIANT: I10: none of it is in a record. */
export interface AgentLaunch {
  /** Variables that it alone gets. */
  readonly variables: Readonly<Record<string, string>>;
  /** What is written for it, and what its relay leads to. */
  readonly settings: AgentSettings;
  /** Of its terminal; null where it gets pipes. */
  readonly size: PtySize | null;
  /** Hears of it once it runs. */
  attached(agent: AgentProcess): void;
  /** Serves one connection by which it proposes. */
  serve(connection: Duplex): void;
}

/** Where a program may connect to, and to these addresses only; or why not. */
export type ConnectAnswer =
  | {
      readonly ok: true;
      readonly bound: BoundConnection;
      /** What is done there is counted in it, for the record. */
      readonly traffic: Traffic;
      /** Aborts when it is forbidden, though it was permitted. */
      readonly revoked: AbortSignal;
    }
  | { readonly ok: false; readonly reason: string; readonly rules: readonly string[] };

/** What was done on connections, counted as it happens. */
export interface Traffic {
  connections: number;
  refused: number;
  bytesOut: number;
  bytesIn: number;
}

/** Keeps what goes on after the call that began it, for the call's own session. */
export interface TerminalKeeper {
  /**
   * Starts a terminal and keeps it while it may go on; resolves with its identifier once it is recorded. Throws
   * FEMTO_TERMINAL_LIMIT, or what keeps it from standing; nothing runs then.
   */
  open(request: TerminalRequest, start: (request: TerminalRequest) => Promise<Terminal>): Promise<string>;
  /** Ends it, if it has not ended, and forgets it. */
  close(id: string): Promise<void>;
}

/** What would be sent next. */
export interface NextHop {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly hasBody: boolean;
}

/** Where the effect may go on, and to these addresses only; or why not. */
export type HopAnswer =
  | { readonly ok: true; readonly host: BoundHost }
  | { readonly ok: false; readonly reason: string };

/** How the effect ended. `sandbox` says what confined it; null where nothing did. */
export type CapabilityOutcome =
  | {
      readonly event: "succeeded";
      readonly result: JsonObject;
      readonly sandbox: string | null;
      /** What was left where something was changed; absent where that cannot be undone. */
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
