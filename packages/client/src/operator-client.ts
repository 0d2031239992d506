/** What only an operator may ask of a running host, with types: a method for each verb of the operator's socket. */
import { join } from "node:path";
import {
  followOutput,
  type OperatorVerb,
  type OutputPart,
  type RegisteredCapability,
  type Reply,
  SOCKET_NAMES,
  type WatchedOutput,
  type WatchedQuestions,
} from "@femtoclaw/protocol";
import { WATCH_MS } from "./call-output.ts";
import { HostConnection } from "./connection.ts";
import { openHeld } from "./held-connection.ts";
import { followLogOf, type LogMemory, type MetLog, memoryOf } from "./host-log.ts";
import { LaunchedAgent } from "./launched-agent.ts";
import type {
  ExportAnswer,
  HaltAnswer,
  ProvedRecord,
  PruneAnswer,
  RecordPage,
  ReloadAnswer,
  SecretView,
  WatchedTerminal,
} from "./operator-answers.ts";

/**
 * A connection to a host's operator socket. Whoever has one may answer questions, switch capabilities and stop the
 * host. A method rejects with the host's own `FemtoError`, and with FEMTO_HOST_NOT_RUNNING when the connection ends
 * before the answer.
 */
export class OperatorClient implements AsyncDisposable {
  readonly #connection: HostConnection;
  /** The one agent that this connection may launch. */
  readonly launched: LaunchedAgent;

  private constructor(connection: HostConnection) {
    this.#connection = connection;
    this.launched = new LaunchedAgent(connection);
  }

  /** Throws FEMTO_LOG_ROLLED_BACK when the host's log does not go on from what is remembered of it. */
  static async connect(runtimeDirectory: string, memory = memoryOf(runtimeDirectory)): Promise<OperatorClient> {
    return new OperatorClient(await openHeld(join(runtimeDirectory, SOCKET_NAMES.operator), memory));
  }

  /** Asks for no proof, so that a host with a wrong log can be looked at and stopped; `meetLog` asks for one. */
  static async connectUnproved(runtimeDirectory: string): Promise<OperatorClient> {
    return new OperatorClient(await HostConnection.open(join(runtimeDirectory, SOCKET_NAMES.operator)));
  }

  /** Holds the host's log to what is remembered; throws FEMTO_LOG_ROLLED_BACK. */
  meetLog(memory: LogMemory): Promise<MetLog> {
    return followLogOf(this.#connection, memory);
  }

  /** The runtime's status with the paths of the host's sockets. */
  async status(): Promise<Record<string, unknown>> {
    return (await this.#connection.requestSoon("status")) as Record<string, unknown>;
  }

  /** Asks the host to end; `now` cancels what runs instead of waiting for it. It has ended when `closed` resolves. */
  async stop(options: { readonly now: boolean }): Promise<void> {
    await this.#connection.request("stop", { now: options.now });
  }

  /**
   * Lets nothing of a session begin any more and ends what runs; durable when it resolves, with the number of its
   * record and of the executions that were stopped. Throws FEMTO_SESSION_NOT_FOUND, and FEMTO_HOST_SILENT where it is not
   * known whether it was heard.
   */
  async halt(session: string, reason?: string): Promise<HaltAnswer> {
    const fields = { session, ...(reason === undefined ? {} : { reason }) };
    return (await this.#connection.requestSoon("sessions.halt", fields)) as HaltAnswer;
  }

  /** Resolves when the connection has ended, which is the last thing that a stopping host does. */
  get closed(): Promise<void> {
    return this.#connection.closed;
  }

  /** Every registered capability, whether it is enabled, and who said so. */
  capabilities(): Promise<RegisteredCapability[]> {
    return this.#ask("capabilities.list");
  }

  /**
   * Enables or disables a capability until an operator says otherwise, also after a restart; durable when it resolves.
   * Throws FEMTO_CAPABILITY_NOT_FOUND and FEMTO_CAPABILITY_DISABLED.
   */
  async switchCapability(name: string, enable: boolean): Promise<void> {
    await this.#connection.request(enable ? "capabilities.enable" : "capabilities.disable", { name });
  }

  /** Replies of past executions, newest first, each with `tool`, `session`, `requested_at` and `duration_ms`. */
  executions(query: { limit: number; status?: string; session?: string }): Promise<unknown[]> {
    return this.#ask("executions.list", query);
  }

  /** One execution with its records. Throws FEMTO_EXECUTION_NOT_FOUND. */
  execution(id: string): Promise<unknown> {
    return this.#ask("executions.show", { execution: id });
  }

  /** What the programs of an execution write while it runs, of whichever session; see `AgentClient.output`. */
  output(execution: string): AsyncIterable<OutputPart> {
    return followOutput((from) => this.watchOutput(execution, from, WATCH_MS));
  }

  /**
   * Output from a place on, and how it goes on; waits up to `waitMs` milliseconds where there is none. Throws
   * FEMTO_EXECUTION_NOT_FOUND.
   */
  watchOutput(execution: string, from: number, waitMs: number): Promise<WatchedOutput> {
    return this.#ask("executions.watch", { execution, from, wait_ms: waitMs });
  }

  /** Says what became of an interrupted execution; durable when it resolves, with the record's sequence number. */
  resolve(execution: string, resolution: "done" | "not-done", reason: string): Promise<{ seq: number }> {
    const fields = { execution, resolution, reason };
    return this.#ask("executions.resolve", fields);
  }

  /**
   * Proposes the call that takes back what an execution did to files; resolves with its reply. Throws
   * FEMTO_UNDO_IMPOSSIBLE.
   */
  undo(execution: string): Promise<Reply> {
    return this.#ask("executions.undo", { execution });
  }

  /** Open questions, the oldest first, of a record and those after it: as many as one answer has. */
  approvals(from = 0): Promise<unknown[]> {
    return this.#ask("approvals.list", { from });
  }

  /** All of them, page by page; one that is asked meanwhile comes last, one that is settled meanwhile may be missing. */
  async *allApprovals(): AsyncGenerator<unknown, void, void> {
    for (let page = await this.approvals(); page.length > 0; ) {
      yield* page;
      const { id } = page.at(-1) as { readonly id: string };
      page = await this.approvals(Number(id) + 1);
    }
  }

  /** One open question with everything that would run. Throws FEMTO_APPROVAL_NOT_FOUND. */
  approval(id: string): Promise<unknown> {
    return this.#ask("approvals.show", { approval: id });
  }

  /** Which questions are open by now; where nothing changed since `from` it waits for a change, and tells of none. */
  watchApprovals(from: number, waitMs: number): Promise<WatchedQuestions> {
    return this.#ask("approvals.watch", { from, wait_ms: waitMs });
  }

  /**
   * Answers a question as it was seen; durable when it resolves. The call then goes on by itself. Throws
   * FEMTO_APPROVAL_NOT_FOUND, FEMTO_APPROVAL_MISMATCH where the digest is another, and FEMTO_APPROVAL_UNSIGNED where
   * only a signed answer counts.
   */
  answerApproval(answer: {
    readonly approval: string;
    readonly digest: string;
    readonly answer: "granted" | "refused";
    readonly scope: "once" | "session";
    readonly reason?: string;
  }): Promise<unknown> {
    return this.#ask("approvals.answer", answer);
  }

  /**
   * The same for an answer that an operator signed, which says by itself what it is an answer to. Throws
   * FEMTO_APPROVAL_SIGNATURE for one that counts for nothing.
   */
  answerSigned(signed: string): Promise<unknown> {
    return this.#ask("approvals.answer", { signed });
  }

  /** Open terminals, the newest first. */
  terminals(): Promise<unknown[]> {
    return this.#ask("terminals.list");
  }

  /** Output of a terminal from a place on, in base64, and how it goes on; waits for more where there is none. */
  watchTerminal(terminal: string, from: number, waitMs: number): Promise<WatchedTerminal> {
    return this.#ask("terminals.watch", { terminal, from, wait_ms: waitMs });
  }

  /** A page of what was recorded of a terminal: its records, and where the next page begins. */
  terminalRecording(terminal: string, from: number | null): Promise<unknown> {
    return this.#ask("terminals.recording", { terminal, ...(from === null ? {} : { from }) });
  }

  /** Proof that a record stands in the signed log, with the record's bytes in base64; null where it was pruned. */
  prove(ref: string): Promise<ProvedRecord> {
    return this.#ask("audit.prove", { ref });
  }

  /**
   * Records from a number on, as many as fit into one answer, and how many there are. Where there is none it waits for the
   * next one as long as it is told.
   */
  records(from: number, waitMs = 0): Promise<RecordPage> {
    return this.#ask("log.records", { from, wait_ms: waitMs });
  }

  /** The state that the newest records go on from; null where all records are few enough to be read. */
  logSummary(): Promise<unknown> {
    return this.#ask("log.summary");
  }

  /** A fresh signed checkpoint. */
  checkpoint(): Promise<string> {
    return this.#ask("audit.checkpoint");
  }

  /** Sizes of the trees that were signed, ascending. */
  checkpoints(): Promise<number[]> {
    return this.#ask("audit.checkpoints");
  }

  /** The host writes the log to a path of its own machine that must not exist yet. */
  exportLog(format: string, out: string, values: boolean): Promise<ExportAnswer> {
    return this.#ask("audit.export", { format, out, values });
  }

  /** What dropping the oldest records would come to; with `sure`, drops them for good. Throws FEMTO_PRUNE_REFUSED. */
  prune(request: {
    readonly before?: number;
    readonly older_than_ms?: number;
    readonly sure: boolean;
  }): Promise<PruneAnswer> {
    return this.#ask("audit.prune", request);
  }

  /** Erases values that a record, or any record of an execution, commits to; they are in no file when it resolves. */
  eraseValues(request: { readonly ref: string; readonly field?: string; readonly reason: string }): Promise<unknown> {
    return this.#ask("audit.erase", request);
  }

  /** Name and public keys of the log. */
  keys(): Promise<unknown> {
    return this.#ask("keys.show");
  }

  /** Retires the log's key for a new one; resolves with the new public key. */
  rotateKey(): Promise<string> {
    return this.#ask("keys.rotate");
  }

  /** Names and destinations of stored secrets. */
  secrets(): Promise<SecretView[]> {
    return this.#ask("secrets.list");
  }

  /**
   * Stores a secret that requests to this very host and port may carry; durable when it resolves. Throws
   * FEMTO_SECRET_INVALID.
   */
  async addSecret(secret: { name: string; host: string; port: number; value: string }): Promise<void> {
    await this.#connection.request("secrets.add", secret);
  }

  /** Deletes a stored secret; durable when it resolves. Throws FEMTO_SECRET_NOT_FOUND. */
  async removeSecret(name: string): Promise<void> {
    await this.#connection.request("secrets.remove", { name });
  }

  /** MCP servers of others: how they fare, and what of their tools is offered. */
  async upstreams(): Promise<unknown[]> {
    return this.#ask("upstreams.list");
  }

  /** Accepts tools by the digests that were seen; durable when it resolves. */
  async acceptTools(server: string, tools: readonly { name: string; sha256: string }[]): Promise<void> {
    await this.#connection.request("upstreams.accept", { server, tools });
  }

  /** Takes back what was accepted of a server; durable when it resolves. */
  async resetTools(server: string): Promise<void> {
    await this.#connection.request("upstreams.reset", { server });
  }

  /** Capabilities of others that are packages: their files, and what of them was accepted. */
  packages(): Promise<unknown[]> {
    return this.#ask("capabilities.packages");
  }

  /** Accepts the files of a package by the digests that were seen; durable when it resolves. */
  async acceptPackage(name: string, files: readonly { name: string; sha256: string }[]): Promise<void> {
    await this.#connection.request("capabilities.accept", { name, files });
  }

  /** Takes back what was accepted of a package; durable when it resolves. */
  async resetPackage(name: string): Promise<void> {
    await this.#connection.request("capabilities.reset", { name });
  }

  /**
   * Puts the policy in force that the host's configuration has by now; durable when it resolves. Throws
   * FEMTO_RELOAD_RESTART where more than policy changed, and FEMTO_POLICY_INVALID; what was in force stays then.
   */
  reload(): Promise<ReloadAnswer> {
    return this.#ask("policy.reload");
  }

  /** The compiled policy in force. */
  policy(): Promise<unknown> {
    return this.#ask("policy.show");
  }

  /** What was decided about the execution of a record, and the policy in force then, as records have them. */
  decision(ref: string): Promise<unknown> {
    return this.#ask("policy.decision", { ref });
  }

  /**
   * The host makes a state directory on its own machine that goes on from a record of its log. Throws
   * FEMTO_FORK_REFUSED.
   */
  fork(seq: number, out: string): Promise<unknown> {
    return this.#ask("fork", { seq, out });
  }

  /** Folds the journal up to a record and compares stored snapshots on the way. */
  replay(query: { readonly to?: number }): Promise<unknown> {
    return this.#ask("replay", query);
  }

  /** Ends the connection; the agent that it launched ends with it. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The form of the answer is the host's word: it is not checked here, as the host is the operator's own. */
  async #ask<T>(verb: OperatorVerb, fields: Readonly<Record<string, unknown>> = {}): Promise<T> {
    return (await this.#connection.request(verb, fields)) as T;
  }
}
