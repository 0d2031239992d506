/**
 * Typed access to what only an operator may ask of a running host: a method for each verb of the operator's socket. Those
 * about the log are in `operator-log.ts`.
 */
import {
  type Answered,
  type ApprovalCard,
  type ComparedUpstream,
  type ExecutionHistory,
  type ExecutionView,
  followOutput,
  type Halt,
  type OutputPart,
  type PackageView,
  type RecordedDecision,
  type RecordingPage,
  type RegisteredCapability,
  type ReloadAnswer,
  type Reply,
  type SecretView,
  type TerminalStatus,
  type WatchedOutput,
  type WatchedQuestions,
  type WatchedTerminal,
} from "@femtoclaw/protocol";
import { WATCH_MS } from "./call-output.ts";
import { memoryOf } from "./host-log.ts";
import { OperatorConnection } from "./operator-connection.ts";
import { OperatorLog } from "./operator-log.ts";

/**
 * A connection to a host's operator socket. Anyone who has one may answer questions, switch capabilities and stop the
 * host. A method rejects with the host's own `FemtoError`, and with FEMTO_HOST_NOT_RUNNING if the connection ends
 * before the answer.
 */
export class OperatorClient extends OperatorLog {
  /** Throws FEMTO_LOG_ROLLED_BACK if the host's log does not continue the one that is remembered. */
  static async connect(runtimeDirectory: string, memory = memoryOf(runtimeDirectory)): Promise<OperatorClient> {
    return new OperatorClient(await OperatorConnection.openProved(runtimeDirectory, memory));
  }

  /** Asks for no proof, so that a host with a wrong log can be looked at and stopped; `meetLog` asks for one. */
  static async connectUnproved(runtimeDirectory: string): Promise<OperatorClient> {
    return new OperatorClient(await OperatorConnection.openUnproved(runtimeDirectory));
  }

  /** The runtime's status with the paths of the host's sockets. */
  status(): Promise<Readonly<Record<string, unknown>>> {
    return this.askSoon("status");
  }

  /** Asks the host to end; `now` cancels what runs instead of waiting for it. It has ended when `closed` resolves. */
  async stop(options: { readonly now: boolean }): Promise<void> {
    await this.ask("stop", { now: options.now });
  }

  /**
   * Stops a session for good: nothing of it begins any more, and what runs is ended. Durable when it resolves. Throws
   * FEMTO_SESSION_NOT_FOUND, and FEMTO_HOST_SILENT if it is not known whether the host heard.
   */
  halt(session: string, reason?: string): Promise<Halt> {
    const fields = { session, ...(reason === undefined ? {} : { reason }) };
    return this.askSoon("sessions.halt", fields);
  }

  /** Every registered capability, whether it is enabled, and who decided that. */
  capabilities(): Promise<readonly RegisteredCapability[]> {
    return this.ask("capabilities.list");
  }

  /**
   * Enables or disables a capability until an operator changes it again, restarts included; durable when it resolves.
   * Throws FEMTO_CAPABILITY_NOT_FOUND and FEMTO_CAPABILITY_DISABLED.
   */
  async switchCapability(name: string, verb: "enable" | "disable"): Promise<void> {
    await this.ask(`capabilities.${verb}`, { name });
  }

  /** Replies of past executions, newest first, each with `tool`, `session`, `requested_at` and `duration_ms`. */
  executions(query: { limit: number; status?: string; session?: string }): Promise<readonly ExecutionView[]> {
    return this.ask("executions.list", query);
  }

  /** One execution with its records. Throws FEMTO_EXECUTION_NOT_FOUND. */
  execution(id: string): Promise<ExecutionHistory> {
    return this.ask("executions.show", { execution: id });
  }

  /** What the programs of an execution of any session write while it runs; see `AgentClient.output`. */
  output(execution: string): AsyncIterable<OutputPart> {
    return followOutput((from) => this.watchOutput(execution, from, WATCH_MS));
  }

  /**
   * Output from a position on, and whether more follows; waits up to `waitMs` milliseconds if there is none. Throws
   * FEMTO_EXECUTION_NOT_FOUND.
   */
  watchOutput(execution: string, from: number, waitMs: number): Promise<WatchedOutput> {
    return this.ask("executions.watch", { execution, from, wait_ms: waitMs });
  }

  /** States what became of an interrupted execution; durable when it resolves, with the record's sequence number. */
  resolve(execution: string, resolution: "done" | "not-done", reason: string): Promise<{ seq: number }> {
    const fields = { execution, resolution, reason };
    return this.ask("executions.resolve", fields);
  }

  /**
   * Proposes the call that undoes what an execution did to files; resolves with its reply. Throws
   * FEMTO_UNDO_IMPOSSIBLE.
   */
  undo(execution: string): Promise<Reply> {
    return this.ask("executions.undo", { execution });
  }

  /** One page of open questions, the oldest first, beginning with the record `from`. */
  approvals(from = 0): Promise<readonly ApprovalCard[]> {
    return this.ask("approvals.list", { from });
  }

  /** All open questions, page by page. One asked meanwhile comes last, and one settled meanwhile may be missing. */
  async *allApprovals(): AsyncGenerator<ApprovalCard, void, void> {
    let page = await this.approvals();
    for (let last = page.at(-1); last !== undefined; last = page.at(-1)) {
      yield* page;
      page = await this.approvals(Number(last.id) + 1);
    }
  }

  /** One open question with everything that would run. Throws FEMTO_APPROVAL_NOT_FOUND. */
  approval(id: string): Promise<ApprovalCard> {
    return this.ask("approvals.show", { approval: id });
  }

  /**
   * The questions that are open now. If nothing changed since `from`, waits for a change, and reports none in the end.
   */
  watchApprovals(from: number, waitMs: number): Promise<WatchedQuestions> {
    return this.ask("approvals.watch", { from, wait_ms: waitMs });
  }

  /**
   * Answers a question as it was seen; durable when it resolves. The call then goes on by itself. Throws
   * FEMTO_APPROVAL_NOT_FOUND, FEMTO_APPROVAL_MISMATCH if the digest differs, and FEMTO_APPROVAL_UNSIGNED if only a
   * signed answer counts.
   */
  answerApproval(answer: {
    readonly approval: string;
    readonly digest: string;
    readonly answer: "granted" | "refused";
    readonly scope: "once" | "session";
    readonly reason?: string;
  }): Promise<Answered> {
    return this.ask("approvals.answer", answer);
  }

  /**
   * Passes on an answer that an operator signed, which itself says what it answers. Throws FEMTO_APPROVAL_SIGNATURE if
   * it is not valid.
   */
  answerSigned(signed: string): Promise<Answered> {
    return this.ask("approvals.answer", { signed });
  }

  /** Open terminals, the newest first. */
  terminals(): Promise<readonly TerminalStatus[]> {
    return this.ask("terminals.list");
  }

  /** Output of a terminal from a position on, in base64; waits for more if there is none. */
  watchTerminal(terminal: string, from: number, waitMs: number): Promise<WatchedTerminal> {
    return this.ask("terminals.watch", { terminal, from, wait_ms: waitMs });
  }

  /** One page of a terminal's recording: its records, and where the next page begins. */
  terminalRecording(terminal: string, from: number | null): Promise<RecordingPage> {
    return this.ask("terminals.recording", { terminal, ...(from === null ? {} : { from }) });
  }

  /** Names and destinations of stored secrets. */
  secrets(): Promise<readonly SecretView[]> {
    return this.ask("secrets.list");
  }

  /**
   * Stores a secret that requests to this very host and port may carry; durable when it resolves. Throws
   * FEMTO_SECRET_INVALID.
   */
  async addSecret(secret: { name: string; host: string; port: number; value: string }): Promise<void> {
    await this.ask("secrets.add", secret);
  }

  /** Deletes a stored secret; durable when it resolves. Throws FEMTO_SECRET_NOT_FOUND. */
  async removeSecret(name: string): Promise<void> {
    await this.ask("secrets.remove", { name });
  }

  /** The MCP servers of others: their state, and which of their tools are offered. */
  upstreams(): Promise<readonly ComparedUpstream[]> {
    return this.ask("upstreams.list");
  }

  /** Accepts tools by the digests that were seen; durable when it resolves. */
  async acceptTools(server: string, tools: readonly { name: string; sha256: string }[]): Promise<void> {
    await this.ask("upstreams.accept", { server, tools });
  }

  /** Withdraws what was accepted of a server; durable when it resolves. */
  async resetTools(server: string): Promise<void> {
    await this.ask("upstreams.reset", { server });
  }

  /** Capability packages of others: their files, and which were accepted. */
  packages(): Promise<readonly PackageView[]> {
    return this.ask("capabilities.packages");
  }

  /** Accepts the files of a package by the digests that were seen; durable when it resolves. */
  async acceptPackage(name: string, files: readonly { name: string; sha256: string }[]): Promise<void> {
    await this.ask("capabilities.accept", { name, files });
  }

  /** Withdraws what was accepted of a package; durable when it resolves. */
  async resetPackage(name: string): Promise<void> {
    await this.ask("capabilities.reset", { name });
  }

  /**
   * Reads the host's configuration again and puts its policy in force; durable when it resolves. Throws
   * FEMTO_RELOAD_RESTART if more than the policy changed, and FEMTO_POLICY_INVALID; the old policy then stays in force.
   */
  reload(): Promise<ReloadAnswer> {
    return this.ask("policy.reload");
  }

  /** The compiled policy in force. */
  policy(): Promise<unknown> {
    return this.ask("policy.show");
  }

  /** The recorded decision about the execution of a record, and the policy in force then. */
  decision(ref: string): Promise<RecordedDecision> {
    return this.ask("policy.decision", { ref });
  }
}
