/** What only an operator may ask of a running host, with types. */
import { join } from "node:path";
import {
  followOutput,
  type OutputPart,
  type RegisteredCapability,
  type Reply,
  SOCKET_NAMES,
  type TypedRecord,
  type WatchedOutput,
  type WatchedQuestions,
} from "@femtoclaw/protocol";
import { WATCH_MS } from "./call-output.ts";
import { HostConnection } from "./connection.ts";
import { openHeld } from "./held-connection.ts";
import { followLogOf, type LogMemory, type MetLog, memoryOf } from "./host-log.ts";
import { LaunchedAgent } from "./launched-agent.ts";

/** What a reload came to. */
export interface ReloadAnswer {
  /** Revision of the policy in force now, and of the one before. */
  readonly revision: string;
  readonly before: string;
  /** The same of the rules on trial; null where there are none. */
  readonly shadow: string | null;
  readonly shadow_before: string | null;
}

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
    return (await this.#connection.request("status")) as Record<string, unknown>;
  }

  /** Asks the host to end; `now` cancels what runs instead of waiting for it. It has ended when `closed` resolves. */
  async stop(options: { readonly now: boolean }): Promise<void> {
    await this.#connection.request("stop", { now: options.now });
  }

  /**
   * Lets nothing of a session begin any more and ends what runs; durable when it resolves, with the number of its
   * record and of the executions that were stopped. Throws FEMTO_SESSION_NOT_FOUND.
   */
  async halt(session: string, reason?: string): Promise<{ seq: number; stopped: number }> {
    const fields = { session, ...(reason === undefined ? {} : { reason }) };
    return (await this.#connection.request("sessions.halt", fields)) as { seq: number; stopped: number };
  }

  /** Resolves when the connection has ended, which is the last thing that a stopping host does. */
  get closed(): Promise<void> {
    return this.#connection.closed;
  }

  /** Every registered capability, whether it is enabled, and who said so. */
  async capabilities(): Promise<RegisteredCapability[]> {
    return (await this.#connection.request("capabilities.list")) as RegisteredCapability[];
  }

  /**
   * Enables or disables a capability until an operator says otherwise, also after a restart; durable when it resolves.
   * Throws FEMTO_CAPABILITY_NOT_FOUND and FEMTO_CAPABILITY_DISABLED.
   */
  async switchCapability(name: string, enable: boolean): Promise<void> {
    await this.#connection.request(enable ? "capabilities.enable" : "capabilities.disable", { name });
  }

  /** Replies of past executions, newest first, each with `tool`, `session`, `requested_at` and `duration_ms`. */
  async executions(query: { limit: number; status?: string; session?: string }): Promise<unknown[]> {
    return (await this.#connection.request("executions.list", query)) as unknown[];
  }

  /** One execution with its records. Throws FEMTO_EXECUTION_NOT_FOUND. */
  async execution(id: string): Promise<unknown> {
    return await this.#connection.request("executions.show", { execution: id });
  }

  /** What the programs of an execution write while it runs, of whichever session; see `AgentClient.output`. */
  output(execution: string): AsyncIterable<OutputPart> {
    return followOutput((from) => this.watchOutput(execution, from, WATCH_MS));
  }

  /**
   * Output from a place on, and how it goes on; waits up to `waitMs` milliseconds where there is none. Throws
   * FEMTO_EXECUTION_NOT_FOUND.
   */
  async watchOutput(execution: string, from: number, waitMs: number): Promise<WatchedOutput> {
    const part = await this.#connection.request("executions.watch", { execution, from, wait_ms: waitMs });
    return part as WatchedOutput;
  }

  /** Says what became of an interrupted execution; durable when it resolves, with the record's sequence number. */
  async resolve(execution: string, resolution: "done" | "not-done", reason: string): Promise<{ seq: number }> {
    const fields = { execution, resolution, reason };
    return (await this.#connection.request("executions.resolve", fields)) as { seq: number };
  }

  /**
   * Proposes the call that takes back what an execution did to files; resolves with its reply. Throws
   * FEMTO_UNDO_IMPOSSIBLE.
   */
  async undo(execution: string): Promise<Reply> {
    return (await this.#connection.request("executions.undo", { execution })) as Reply;
  }

  /** Open questions, the oldest first, of a record and those after it: as many as one answer has. */
  async approvals(from = 0): Promise<unknown[]> {
    return (await this.#connection.request("approvals.list", { from })) as unknown[];
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
  async approval(id: string): Promise<unknown> {
    return await this.#connection.request("approvals.show", { approval: id });
  }

  /** Which questions are open by now; where nothing changed since `from` it waits for a change, and tells of none. */
  async watchApprovals(from: number, waitMs: number): Promise<WatchedQuestions> {
    return (await this.#connection.request("approvals.watch", { from, wait_ms: waitMs })) as WatchedQuestions;
  }

  /**
   * Answers a question as it was seen; durable when it resolves. The call then goes on by itself. Throws
   * FEMTO_APPROVAL_NOT_FOUND, FEMTO_APPROVAL_MISMATCH where the digest is another, and FEMTO_APPROVAL_UNSIGNED where
   * only a signed answer counts.
   */
  async answerApproval(answer: {
    readonly approval: string;
    readonly digest: string;
    readonly answer: "granted" | "refused";
    readonly scope: "once" | "session";
    readonly reason?: string;
  }): Promise<unknown> {
    return await this.#connection.request("approvals.answer", answer);
  }

  /**
   * The same for an answer that an operator signed, which says by itself what it is an answer to. Throws
   * FEMTO_APPROVAL_SIGNATURE for one that counts for nothing.
   */
  async answerSigned(signed: string): Promise<unknown> {
    return await this.#connection.request("approvals.answer", { signed });
  }

  /** Open terminals, the newest first. */
  async terminals(): Promise<unknown[]> {
    return (await this.#connection.request("terminals.list")) as unknown[];
  }

  /** Output of a terminal from a place on, in base64, and how it goes on; waits for more where there is none. */
  async watchTerminal(
    terminal: string,
    from: number,
    waitMs: number,
  ): Promise<{ data: string; next: number; missed: number; cols: number; rows: number; running: boolean }> {
    const part = await this.#connection.request("terminals.watch", { terminal, from, wait_ms: waitMs });
    return part as { data: string; next: number; missed: number; cols: number; rows: number; running: boolean };
  }

  /** A page of what was recorded of a terminal: its records, and where the next page begins. */
  async terminalRecording(terminal: string, from: number | null): Promise<unknown> {
    return await this.#connection.request("terminals.recording", { terminal, ...(from === null ? {} : { from }) });
  }

  /** Proof that a record stands in the signed log, with the record's bytes in base64; null where it was pruned. */
  async prove(ref: string): Promise<{ seq: number; proof: string; record: string | null }> {
    const proved = await this.#connection.request("audit.prove", { ref });
    return proved as { seq: number; proof: string; record: string | null };
  }

  /**
   * Records from a number on, as many as fit into one answer, and how many there are. Where there is none it waits for the
   * next one as long as it is told.
   */
  async records(from: number, waitMs = 0): Promise<{ size: number; records: TypedRecord[] }> {
    const page = await this.#connection.request("log.records", { from, wait_ms: waitMs });
    return page as { size: number; records: TypedRecord[] };
  }

  /** The state that the newest records go on from; null where all records are few enough to be read. */
  async logSummary(): Promise<unknown> {
    return await this.#connection.request("log.summary");
  }

  /** A fresh signed checkpoint. */
  async checkpoint(): Promise<string> {
    return (await this.#connection.request("audit.checkpoint")) as string;
  }

  /** Sizes of the trees that were signed, ascending. */
  async checkpoints(): Promise<number[]> {
    return (await this.#connection.request("audit.checkpoints")) as number[];
  }

  /** The host writes the log to a path of its own machine that must not exist yet. */
  async exportLog(format: string, out: string, values: boolean): Promise<{ size: number; values: number | null }> {
    const exported = await this.#connection.request("audit.export", { format, out, values });
    return exported as { size: number; values: number | null };
  }

  /** What dropping the oldest records would come to; with `sure`, drops them for good. Throws FEMTO_PRUNE_REFUSED. */
  async prune(request: {
    readonly before?: number;
    readonly older_than_ms?: number;
    readonly sure: boolean;
  }): Promise<{ before: number; since: number; records: number; keep: number[] }> {
    const pruning = await this.#connection.request("audit.prune", request);
    return pruning as { before: number; since: number; records: number; keep: number[] };
  }

  /** Erases values that a record, or any record of an execution, commits to; they are in no file when it resolves. */
  async eraseValues(request: {
    readonly ref: string;
    readonly field?: string;
    readonly reason: string;
  }): Promise<unknown> {
    return await this.#connection.request("audit.erase", request);
  }

  /** Name and public keys of the log. */
  async keys(): Promise<unknown> {
    return await this.#connection.request("keys.show");
  }

  /** Retires the log's key for a new one; resolves with the new public key. */
  async rotateKey(): Promise<string> {
    return (await this.#connection.request("keys.rotate")) as string;
  }

  /** Names and destinations of stored secrets. */
  async secrets(): Promise<{ name: string; host: string; port: number }[]> {
    return (await this.#connection.request("secrets.list")) as { name: string; host: string; port: number }[];
  }

  /**
   * Stores a secret that requests to this very host and port may carry; durable when it resolves. Throws
   * FEMTO_SECRET_INVALID.
   */
  async addSecret(secret: { name: string; host: string; port: number; value: string }): Promise<void> {
    await this.#connection.request("secrets.add", secret);
  }

  /** MCP servers of others: how they fare, and what of their tools is offered. */
  async upstreams(): Promise<unknown[]> {
    return (await this.#connection.request("upstreams.list")) as unknown[];
  }

  /** Capabilities of others that are packages: their files, and what of them was accepted. */
  async packages(): Promise<unknown[]> {
    return (await this.#connection.request("capabilities.packages")) as unknown[];
  }

  /** Accepts the files of a package by the digests that were seen; durable when it resolves. */
  async acceptPackage(name: string, files: readonly { name: string; sha256: string }[]): Promise<void> {
    await this.#connection.request("capabilities.accept", { name, files });
  }

  /** Takes back what was accepted of a package; durable when it resolves. */
  async resetPackage(name: string): Promise<void> {
    await this.#connection.request("capabilities.reset", { name });
  }

  /** Accepts tools by the digests that were seen; durable when it resolves. */
  async acceptTools(server: string, tools: readonly { name: string; sha256: string }[]): Promise<void> {
    await this.#connection.request("upstreams.accept", { server, tools });
  }

  /** Takes back what was accepted of a server; durable when it resolves. */
  async resetTools(server: string): Promise<void> {
    await this.#connection.request("upstreams.reset", { server });
  }

  /** Deletes a stored secret; durable when it resolves. Throws FEMTO_SECRET_NOT_FOUND. */
  async removeSecret(name: string): Promise<void> {
    await this.#connection.request("secrets.remove", { name });
  }

  /**
   * Puts the policy in force that the host's configuration has by now; durable when it resolves. Throws
   * FEMTO_RELOAD_RESTART where more than policy changed, and FEMTO_POLICY_INVALID; what was in force stays then.
   */
  async reload(): Promise<ReloadAnswer> {
    return (await this.#connection.request("policy.reload")) as ReloadAnswer;
  }

  /** The compiled policy in force. */
  async policy(): Promise<unknown> {
    return await this.#connection.request("policy.show");
  }

  /** What was decided about the execution of a record, and the policy in force then, as records have them. */
  async decision(ref: string): Promise<unknown> {
    return await this.#connection.request("policy.decision", { ref });
  }

  /**
   * The host makes a state directory on its own machine that goes on from a record of its log. Throws
   * FEMTO_FORK_REFUSED.
   */
  async fork(seq: number, out: string): Promise<unknown> {
    return await this.#connection.request("fork", { seq, out });
  }

  /** Folds the journal up to a record and compares stored snapshots on the way. */
  async replay(query: { readonly to?: number }): Promise<unknown> {
    return await this.#connection.request("replay", query);
  }

  /** Ends the connection; the agent that it launched ends with it. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
