/**
 * The public face of a running execution authority: embedding programs propose through it, and operators query and
 * command it. `Assembly` makes the parts behind it and defines their order.
 */
import { isAbsolute } from "node:path";
import type { LogReader } from "@femtoclaw/journal";
import type { CompiledPolicy } from "@femtoclaw/policy";
import {
  type BootId,
  type FemtoError,
  type Fork,
  frozen,
  type Halt,
  LIMITS,
  malformed,
  type RegisteredCapability,
  type Reply,
  requireFields,
  requireNumber,
  requireText,
  type ToolDescription,
  WAIT_MS_MAX,
} from "@femtoclaw/protocol";
import { Assembly } from "./assembly.ts";
import {
  handedOut,
  LOG_READER,
  OPERATED_PACKAGES,
  OPERATED_UPSTREAMS,
  type OperatedPackages,
  type OperatedUpstreams,
} from "./handed-out.ts";
import type { LogGrowth } from "./log-growth.ts";
import { Approvals, reviewQuestions } from "./operators/approvals.ts";
import type { ResolutionRequest, Resolutions } from "./operators/resolutions.ts";
import { Retention } from "./operators/retention.ts";
import type { RuntimeStatus } from "./operators/status.ts";
import type { PolicySource, RuntimeOptions } from "./options.ts";
import type { OutputReader } from "./outputs/outputs.ts";
import { ProjectionView } from "./projection/projection-view.ts";
import type { Secrets } from "./secrets/secrets.ts";
import type { Session, SessionOptions } from "./sessions/session.ts";
import type { HaltRequest } from "./sessions/session-halts.ts";
import type { SwitchRequest } from "./subsystems/capability-switch.ts";
import type { Terminals } from "./terminals/terminals.ts";

/**
 * One execution authority in this process: the gate, its journal, and the interface for operators. `createRuntime`
 * starts one; `close` or `await using` ends it. A method that needs a started runtime fails an assertion before the
 * start.
 */
export class Runtime implements AsyncDisposable {
  readonly #parts: Assembly;
  /** Identifier of this start, which each of its records names. */
  readonly boot: BootId;
  /**
   * Secrets that requests carry and agents never see. They are listed without their values. Throws
   * FEMTO_SECRET_INVALID and FEMTO_SECRET_NOT_FOUND.
   */
  readonly secrets: Pick<Secrets, "list" | "add" | "remove">;
  /** For followers of the log: waits until the log has grown. */
  readonly growth: Pick<LogGrowth, "until">;
  #reader: LogReader | null = null;
  #resolutions: Promise<Resolutions> | null = null;
  #starting: Promise<void> | null = null;
  #closing: Promise<void> | null = null;

  /** Use `createRuntime`. */
  constructor(options: RuntimeOptions) {
    this.#parts = new Assembly(options);
    this.boot = this.#parts.boot;
    this.secrets = handedOut<typeof this.secrets>(this.#parts.secrets, { list: true, add: true, remove: true });
    this.growth = handedOut<typeof this.growth>(this.#parts.growth, { until: true });
  }

  /**
   * Brings the runtime to `idle`, or throws the fault that prevents it; in that case nothing runs any more. A runtime
   * starts once: a second call waits for the first.
   */
  start(): Promise<void> {
    this.#starting ??= this.#parts.start();
    return this.#starting;
  }

  /**
   * Resolves with the first fault with which the runtime cannot go on; it has stopped taking calls by then. Never
   * rejects, and stays pending if nothing fails.
   */
  get failed(): Promise<FemtoError> {
    return this.#parts.fault.met;
  }

  /** Read access to the journal, for history, replay and audit. */
  get reader(): LogReader {
    this.#reader ??= handedOut<LogReader>(this.#parts.journal, LOG_READER);
    return this.#reader;
  }

  /** Signs a checkpoint over everything that is durable now. Resolves with the signed note. */
  checkpoint(): Promise<string> {
    return this.#parts.journal.checkpoint();
  }

  /**
   * Replaces the key that signs the log by a new one. Resolves with the new public key, as `name+id+key`, once it is in
   * force.
   */
  rotateKey(): Promise<string> {
    return this.#parts.journal.rotateKey();
  }

  /** Removes data from the journal at an operator's request. */
  get retention(): Retention {
    const { journal, projection, remember } = this.#parts.memory;
    return new Retention({ journal, clock: this.#parts.clock, projection: () => projection, remember });
  }

  /**
   * Makes a new state directory at the absolute path `out`, whose log continues this log from record `seq`. This log
   * is not affected. Throws FEMTO_FORK_REFUSED.
   */
  async fork(seq: number, out: string): Promise<Fork> {
    requireNumber("seq", seq);
    requireText("out", out);
    if (!isAbsolute(out)) throw malformed("`out` must be an absolute path");
    // The new checkpoint covers everything that is durable now. The code that exports a log is loaded only for a fork.
    await this.checkpoint();
    const options = { reader: this.reader, seq, out, stateDirectory: this.#parts.options.configuration.stateDirectory };
    return await (await import("./epochs/fork.ts")).forkLog(options);
  }

  /** The state after the newest record, to look at. */
  get projection(): ProjectionView {
    return new ProjectionView(this.#parts.memory.projection);
  }

  /** The compiled policy in force. */
  get policy(): CompiledPolicy {
    return this.#parts.inForce.policy.compiled;
  }

  /** The rules on trial, which decide nothing; null if there are none. */
  get shadow(): CompiledPolicy | null {
    return this.#parts.inForce.shadow?.compiled ?? null;
  }

  /**
   * Opens a session through which somebody proposes. Throws FEMTO_OVERLOADED if `LIMITS.openSessions` are open already,
   * FEMTO_DRAINING once the runtime is closed, and a `TypeError` for an unknown option or a principal that has no
   * `[agent.NAME]` in the configuration.
   */
  openSession(options: SessionOptions): Session {
    return this.#parts.sessions.open(options, this.#parts.openedGate);
  }

  /** Questions that wait for operators, and the answers to them. */
  get approvals(): Approvals {
    const { gate } = this.#parts.openedGate;
    const { approvals: settings } = this.#parts.inForce.configuration;
    return new Approvals({
      gate,
      journal: this.#parts.journal,
      settings,
      log: this.#parts.journal.origin,
      policy: () => this.policy,
    });
  }

  /** Open terminals, for operators. */
  get terminals(): Pick<Terminals, "list" | "watch"> {
    const { terminals } = this.#parts.openedGate;
    return handedOut<Pick<Terminals, "list" | "watch">>(terminals, { list: true, watch: true });
  }

  /** Output of running calls in all sessions, for operators. */
  get outputs(): OutputReader {
    return this.#parts.openedGate.outputs.reader("operators");
  }

  /**
   * MCP servers of others, for operators. Each server starts when one of its tools is first called; `start` starts all.
   */
  get upstreams(): OperatedUpstreams {
    return handedOut<OperatedUpstreams>(this.#parts.openedGate.upstreams, OPERATED_UPSTREAMS);
  }

  /** Packaged capabilities of others, for operators. */
  get packages(): OperatedPackages {
    return handedOut<OperatedPackages>(this.#parts.openedGate.packages, OPERATED_PACKAGES);
  }

  /** Every registered capability, whether it is enabled, and who decided that. */
  capabilities(): readonly RegisteredCapability[] {
    return this.#parts.inForce.capabilities();
  }

  /**
   * The enabled capabilities that some rule permits to be used in some way, as an agent sees them. A listed tool
   * promises nothing: each call is decided.
   */
  tools(): ToolDescription[] {
    return this.#parts.inForce.tools(this.#parts.open);
  }

  /**
   * Enables or disables a capability until an operator says otherwise, even after a restart. The change is durable when
   * this resolves. Throws FEMTO_CAPABILITY_NOT_FOUND for an unknown name and
   * FEMTO_CAPABILITY_DISABLED if the configuration locks the capability off.
   */
  async switchCapability(request: SwitchRequest): Promise<void> {
    requireFields("request", request);
    requireText("name", request.name);
    await this.#parts.inForce.switchCapability(this.#parts.journal, request);
    this.#parts.open?.review();
  }

  /**
   * Puts the policy of another configuration, and of the files beside it, in force between two decisions. The change is
   * durable when this resolves with the compiled policy. Calls that were decided before end as they were decided.
   * Throws FEMTO_RELOAD_RESTART, FEMTO_POLICY_INVALID or FEMTO_SANDBOX_UNAVAILABLE, and then leaves the old policy in
   * force. Without `policyFiles`, policy files are no longer in force.
   */
  async reload(candidate: PolicySource, by: string): Promise<CompiledPolicy> {
    const { gate, review } = this.#parts.openedGate;
    await this.#parts.inForce.reload(this.#parts.journal, candidate, by);
    review();
    await reviewQuestions(gate, this.#parts.inForce.policy, this.#parts.journal);
    return this.policy;
  }

  /** Records that a candidate policy could not even be read. */
  async rejectPolicy(error: unknown, by: string): Promise<void> {
    const { recordRejection } = await import("./subsystems/reload.ts");
    await recordRejection(this.#parts.journal, null, error, by);
  }

  /**
   * Records what became of an interrupted execution, and runs nothing. Resolves with that record's sequence number.
   * Throws FEMTO_SOCKET_REQUEST without a reason, FEMTO_EXECUTION_NOT_FOUND, and FEMTO_EXECUTION_NOT_UNRESOLVED if the
   * execution does not wait for a resolution.
   */
  async resolveExecution(request: ResolutionRequest): Promise<number> {
    this.#resolutions ??= this.#startResolutions();
    return await (await this.#resolutions).resolve(request);
  }

  /**
   * Proposes the call that takes back what an execution did to files, and resolves like any proposal. The call changes
   * nothing if the files are no longer as that execution left them. Throws FEMTO_UNDO_IMPOSSIBLE if there is no such
   * call, and FEMTO_EXECUTION_NOT_FOUND.
   */
  async undo(execution: string): Promise<Reply> {
    const { undo } = await import("./operators/undo.ts");
    return await undo(execution, this.#parts.journal, () => this.openSession({ channel: "operator" }));
  }

  /**
   * Ends a session for good: it may begin nothing more, and what runs in it is asked to end. The halt is durable when
   * this resolves. Throws FEMTO_SESSION_NOT_FOUND.
   */
  async haltSession(request: HaltRequest): Promise<Halt> {
    const { gate, terminals } = this.#parts.openedGate;
    const halting = this.#parts.sessions.halt(request, gate, this.#parts.journal);
    terminals.review();
    return await halting;
  }

  /** A summary for operators. It can be read at any time, even while the runtime starts or ends. */
  status(): RuntimeStatus {
    return frozen(this.#parts.status);
  }

  /**
   * Takes no more calls, waits up to `drainMs` milliseconds (10 seconds by default) for running calls, ends those that
   * remain, and closes the journal. A second call waits for the first.
   */
  close(options: { readonly drainMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#parts.close(drainOf(options));
    return this.#closing;
  }

  /** Ends the calls that a running `close` still waits for. */
  hurry(): void {
    this.#parts.open?.gate.stopAll("the runtime is shutting down at once");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #startResolutions(): Promise<Resolutions> {
    const { journal, projection } = this.#parts.memory;
    const { Resolutions } = await import("./operators/resolutions.ts");
    return new Resolutions({ journal, unresolved: () => projection.unresolved });
  }
}

function drainOf(options: { readonly drainMs?: number }): number {
  if (Object(options) !== options) throw new TypeError("close takes an object with options");
  const { drainMs = LIMITS.drainMs } = options;
  if (typeof drainMs !== "number" || Number.isNaN(drainMs)) throw new TypeError("`drainMs` must be a number");
  return Math.min(Math.max(drainMs, 0), WAIT_MS_MAX);
}
