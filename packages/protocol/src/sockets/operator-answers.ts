/**
 * The verbs of the operator's socket, and what a host answers to each. Answers about the log are described in
 * `log-answers.ts`.
 */
import type { ApprovalCard, CapabilityManifest, RegisteredCapability, Reply } from "../generated/types.ts";
import type { JsonValue } from "../json/strict-json.ts";
import type { TypedRecord } from "../messages/records.ts";
import type { WatchedOutput } from "./live-output.ts";
import type {
  Erased,
  ExportedLog,
  Fork,
  LogKeys,
  ProvedRecord,
  Pruning,
  RecordedDecision,
  RecordPage,
  ReplayedState,
} from "./log-answers.ts";
import type { LogContinuation, WatchedQuestions } from "./socket.ts";

/** The answer to each verb; null where there is nothing to say. */
export interface OperatorAnswers {
  /** The members are those of `femtoclaw status --json`. */
  readonly status: Readonly<Record<string, unknown>>;
  readonly stop: null;
  readonly "sessions.halt": Halt;
  readonly "capabilities.list": readonly RegisteredCapability[];
  readonly "capabilities.enable": null;
  readonly "capabilities.disable": null;
  readonly "capabilities.packages": readonly PackageView[];
  readonly "capabilities.accept": null;
  readonly "capabilities.reset": null;
  readonly "executions.list": readonly ExecutionView[];
  readonly "executions.show": ExecutionHistory;
  readonly "executions.watch": WatchedOutput;
  readonly "executions.resolve": { readonly seq: number };
  readonly "executions.undo": Reply;
  readonly "approvals.list": readonly ApprovalCard[];
  readonly "approvals.show": ApprovalCard;
  readonly "approvals.watch": WatchedQuestions;
  readonly "approvals.answer": Answered;
  readonly "audit.prove": ProvedRecord;
  readonly "audit.checkpoint": string;
  readonly "audit.checkpoints": readonly number[];
  readonly "audit.export": ExportedLog;
  readonly "audit.erase": readonly Erased[];
  readonly "audit.prune": Pruning;
  readonly "log.follow": LogContinuation;
  readonly "log.records": RecordPage;
  /** The summary of the inspector; null if the log is short enough to be read as a whole. */
  readonly "log.summary": unknown;
  readonly "keys.show": LogKeys;
  readonly "keys.rotate": string;
  readonly "terminals.list": readonly TerminalStatus[];
  readonly "terminals.watch": WatchedTerminal;
  readonly "terminals.recording": RecordingPage;
  readonly "secrets.add": null;
  readonly "secrets.list": readonly SecretView[];
  readonly "secrets.remove": null;
  readonly "upstreams.list": readonly ComparedUpstream[];
  readonly "upstreams.accept": null;
  readonly "upstreams.reset": null;
  readonly "launch.start": { readonly session: string };
  readonly "launch.read": LaunchOutput;
  readonly "launch.write": null;
  readonly "launch.resize": null;
  readonly "launch.end": null;
  /** The compiled policy, for people to read. */
  readonly "policy.show": unknown;
  readonly "policy.decision": RecordedDecision;
  readonly "policy.reload": ReloadAnswer;
  readonly replay: ReplayedState;
  readonly fork: Fork;
}

export type OperatorVerb = keyof OperatorAnswers;

/** A reply as it was given, together with what it answered. */
export interface ExecutionView extends Reply {
  /** Null for a message, and for a call that did not name a tool. */
  readonly tool: string | null;
  readonly session: string | null;
  readonly label: string | null;
  /**
   * The request in one line: the path, the program with its arguments, or the message. Null if the record that would
   * tell it is gone.
   */
  readonly subject: string | null;
  /** RFC 3339, UTC. */
  readonly requested_at: string;
  /** Duration of the effect; null if there was none, or if it has not ended. */
  readonly duration_ms: number | null;
  /** Places of erased values in the record's body; absent if nothing was erased. */
  readonly erased?: readonly string[];
  /**
   * The record number of the execution's intent, if that record was pruned. Fields that only the intent could tell are
   * then null.
   */
  readonly pruned_intent?: number;
}

/** An execution with its records, in their order. */
export interface ExecutionHistory extends ExecutionView {
  readonly records: readonly TypedRecord[];
}

/** What an answer led to, once it is durable. */
export interface Answered {
  /** Number of the record that holds the answer. */
  readonly seq: number;
  /** Whether the answer settles the question. */
  readonly complete: boolean;
  /** Identifier of the question and of the execution that waits for it. */
  readonly id: string;
  readonly execution_id: string;
  readonly answer: "granted" | "refused";
  /** Operators who have said yes so far, and how many must. */
  readonly granted: readonly string[];
  readonly approvers: number;
}

/** What an operator sees of a terminal. */
export interface TerminalStatus {
  /** Identifier of the terminal, which is that of the execution that opened it. */
  readonly id: string;
  readonly session: string;
  readonly principal: string;
  readonly program: string;
  readonly cols: number;
  readonly rows: number;
  readonly opened_at: string;
  readonly running: boolean;
  readonly exit_code: number | null;
  readonly signal: string | null;
  /** Bytes that were typed, that the program wrote, and that wait for their reader. */
  readonly bytes_in: number;
  readonly bytes_out: number;
  readonly unread_bytes: number;
  /** Milliseconds since its session last used it. */
  readonly idle_ms: number;
}

/** Output of a terminal from a position on. */
export interface WatchedTerminal {
  /** In base64; empty if nothing was written since. */
  readonly data: string;
  /** The position to ask for next, in bytes. */
  readonly next: number;
  /** Bytes between the requested position and `data` that are no longer kept. */
  readonly missed: number;
  readonly cols: number;
  readonly rows: number;
  /** Whether anything still runs on the terminal. */
  readonly running: boolean;
}

/** A record about a terminal. */
export type TerminalRecord = TypedRecord & {
  readonly type: "terminal.opened" | "terminal.recorded" | "terminal.closed";
};

/** Records of one terminal, as many as one answer holds. */
export interface RecordingPage {
  /** With the values that are stored beside them; an erased text is null. */
  readonly records: readonly TerminalRecord[];
  /** Where the next page begins; null after the last. */
  readonly next: number | null;
}

/** `refused`: it cannot be offered, even if an operator agrees; `excluded`: the configuration lists others. */
export type ToolState = "offered" | "new" | "changed" | "refused" | "excluded" | "gone";

/** A tool, resource or prompt of an MCP server, or a file of a package, compared with what was accepted. */
export interface OfferedTool {
  /** The name of a tool; otherwise `resource:URI`, `template:URI` or `prompt:NAME`. */
  readonly name: string;
  /** Digest of the current definition; null if it is gone. */
  readonly sha256: string | null;
  /** The digest that was accepted; null if none was. */
  readonly pinned: string | null;
  readonly state: ToolState;
  /** Why it is refused; null if it is not. */
  readonly problem: string | null;
  /** In its author's words, which are untrusted. */
  readonly description: string;
  /**
   * What models read in addition to the description: the schema of the arguments. Null if this is no tool, is gone, or
   * cannot be offered.
   */
  readonly input: Readonly<Record<string, unknown>> | null;
}

/** A member of a definition that is not as it was accepted. Null stands for one that is not there. */
export interface ChangedMember {
  readonly member: string;
  readonly before: JsonValue;
  readonly after: JsonValue;
}

/** The state of a server, for operators. */
export interface UpstreamView {
  readonly server: string;
  readonly status: "running" | "stopped" | "disabled";
  /** Why it does not run; null if it does, or never had to. */
  readonly reason: string | null;
  readonly pins: "first_use" | "operator";
  /** Digest of everything that it lists; null before it did. */
  readonly set_sha256: string | null;
  readonly tools: readonly OfferedTool[];
}

/** A tool, resource or prompt, and what of it changed. */
export interface ComparedTool extends OfferedTool {
  /** How it differs from what was accepted; null if it does not, or if what was accepted is not known any more. */
  readonly changes: readonly ChangedMember[] | null;
}

export interface ComparedUpstream extends UpstreamView {
  readonly tools: readonly ComparedTool[];
}

/** `refused`: the files that are there cannot be called, even if an operator agrees. */
export type PackageState = "accepted" | "quarantined" | "refused";

/** The state of a package, for operators. */
export interface PackageView {
  readonly name: string;
  readonly path: string;
  /** As it was when the host started. */
  readonly manifest: CapabilityManifest;
  readonly pins: "first_use" | "operator";
  readonly state: PackageState;
  /** Why the package cannot be called; null if it can. */
  readonly problem: string | null;
  /** Digest of the names and digests of all its files; null if they could not be read. */
  readonly set_sha256: string | null;
  readonly files: readonly OfferedTool[];
}

/** A session that was halted. */
export interface Halt {
  /** The number of the record that halts the session; of an earlier one if it was halted already. */
  readonly seq: number;
  /** Executions that were stopped before their effect, or asked to end. */
  readonly stopped: number;
}

/** A stored secret without its value; requests to this host and port may carry it. */
export interface SecretView {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/** The result of a reload. */
export interface ReloadAnswer {
  /** Revisions of the policy in force now, and before the reload. */
  readonly revision: string;
  readonly before: string;
  /** The same for the rules on trial; null if there are none. */
  readonly shadow: string | null;
  readonly shadow_before: string | null;
}

/** Output of a launched agent; and once it has ended, the reply and how its calls ended. */
export interface LaunchOutput {
  /** In base64, as is `stderr`; empty if nothing was written. */
  readonly stdout: string;
  readonly stderr: string;
  /** Null while the agent runs. */
  readonly ended: {
    readonly reply: Reply;
    readonly calls: Partial<Record<Reply["status"], number>>;
    /** Whether a rule requires an operator's approval of the launch itself, so that it never began. */
    readonly asked: boolean;
  } | null;
}
