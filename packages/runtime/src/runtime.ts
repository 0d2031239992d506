/**
 * The face of a running execution authority: what an embedding program proposes through it, and what operators ask of
 * it and tell it. What stands behind it, and in which order, is said by `Assembly`.
 */
import type { LogReader } from "@femtoclaw/journal";
import type { CompiledPolicy } from "@femtoclaw/policy";
import {
  type BootId,
  type FemtoError,
  LIMITS,
  type RegisteredCapability,
  type Reply,
  type ToolDescription,
} from "@femtoclaw/protocol";
import { Approvals, reviewQuestions } from "./approvals.ts";
import { Assembly } from "./assembly.ts";
import type { CapabilityPackages } from "./capability-packages/capability-packages.ts";
import type { Fork } from "./epochs/fork.ts";
import type { LogGrowth } from "./log-growth.ts";
import type { PolicySource, RuntimeOptions } from "./options.ts";
import type { OutputReader } from "./outputs/outputs.ts";
import type { Projection } from "./projection/projection.ts";
import type { ResolutionRequest, Resolutions } from "./resolutions.ts";
import { Retention } from "./retention.ts";
import type { Secrets } from "./secrets/secrets.ts";
import type { Session, SessionOptions } from "./session.ts";
import type { Halt, HaltRequest } from "./session-halts.ts";
import type { RuntimeStatus } from "./status.ts";
import { recordRejection } from "./subsystems/reload.ts";
import type { Terminals } from "./terminals/terminals.ts";
import type { Upstreams } from "./upstreams/upstreams.ts";

/**
 * One execution authority in this process: the gate, its journal, and what operators ask and say. `createRuntime`
 * starts one; `close` or `await using` ends it. A method that needs a started runtime fails an assertion before.
 */
export class Runtime implements AsyncDisposable {
  readonly #parts: Assembly;
  /** Identifier of this start; each record of it names it. */
  readonly boot: BootId;
  /**
   * Secrets that requests carry and agents never see: `list`, `add` and `remove`, for operators. Throws
   * FEMTO_SECRET_INVALID and FEMTO_SECRET_NOT_FOUND.
   */
  readonly secrets: Secrets;
  /** For who follows the log: waits until it has grown. */
  readonly growth: Pick<LogGrowth, "until">;
  #resolutions: Promise<Resolutions> | null = null;
  #closing: Promise<void> | null = null;

  /** Use `createRuntime`. */
  constructor(options: RuntimeOptions) {
    this.#parts = new Assembly(options);
    this.boot = this.#parts.boot;
    this.secrets = this.#parts.secrets;
    this.growth = this.#parts.growth;
  }

  /** Brings the runtime to `idle`, or throws the fault that keeps it from there; nothing was executed then. */
  start(): Promise<void> {
    return this.#parts.start();
  }

  /**
   * Resolves with the fault when the runtime meets one that it cannot go on with; it has stopped taking calls then. It
   * never rejects, and stays pending where nothing fails.
   */
  get failed(): Promise<FemtoError> {
    return this.#parts.fault.met;
  }

  /** Read access to the journal, for history, replay and audit. */
  get reader(): LogReader {
    return this.#parts.journal;
  }

  /** Signs a checkpoint over everything that is durable now; resolves with the signed note. */
  checkpoint(): Promise<string> {
    return this.#parts.journal.checkpoint();
  }

  /**
   * Retires the key that signs the log for a new one; resolves with the new public key, as `name+id+key`, once it is in
   * force.
   */
  rotateKey(): Promise<string> {
    return this.#parts.journal.rotateKey();
  }

  /** Takes out of the journal what an operator wants gone. */
  get retention(): Retention {
    const { journal, projection, remember } = this.#parts.memory;
    return new Retention({ journal, clock: this.#parts.clock, projection: () => projection, remember });
  }

  /**
   * Makes a state directory of its own at the absolute path `out`, which goes on from record `seq` of this log; this
   * one goes on as if nothing were. Throws FEMTO_FORK_REFUSED.
   */
  async fork(seq: number, out: string): Promise<Fork> {
    // The newest checkpoint covers everything that is durable now. What exports a log is loaded for a fork alone.
    await this.checkpoint();
    const options = { reader: this.reader, seq, out, stateDirectory: this.#parts.options.configuration.stateDirectory };
    return await (await import("./epochs/fork.ts")).forkLog(options);
  }

  /** The state after the newest record. */
  get projection(): Projection {
    return this.#parts.memory.projection;
  }

  /** The compiled policy in force. */
  get policy(): CompiledPolicy {
    return this.#parts.inForce.policy.compiled;
  }

  /** The rules on trial; null where none are. They decide nothing. */
  get shadow(): CompiledPolicy | null {
    return this.#parts.inForce.shadow?.compiled ?? null;
  }

  /**
   * Opens a session, through which somebody proposes. Throws FEMTO_OVERLOADED where `LIMITS.openSessions` are open, and
   * a `TypeError` for a principal that has no `[agent.NAME]` in the configuration, and for what is no such option.
   */
  openSession(options: SessionOptions): Session {
    return this.#parts.sessions.open(options, this.#parts.openedGate);
  }

  /** Questions to operators: what waits, and the answers to it. */
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

  /** Terminals that are open, for operators. */
  get terminals(): Pick<Terminals, "list" | "watch"> {
    return this.#parts.openedGate.terminals;
  }

  /** Output of what runs, of whichever session, for operators. */
  get outputs(): OutputReader {
    return this.#parts.openedGate.outputs.reader("operators");
  }

  /** MCP servers of others, for operators. Each starts when a tool of it is called first, or all with `start`. */
  get upstreams(): Pick<Upstreams, "start" | "list" | "accept" | "reset" | "capabilities" | "settled"> {
    return this.#parts.openedGate.upstreams;
  }

  /** Capabilities of others that are packages, for operators. */
  get packages(): Pick<CapabilityPackages, "list" | "accept" | "reset"> {
    return this.#parts.openedGate.packages;
  }

  /** Every registered capability, whether it is enabled, and who said so. */
  capabilities(): readonly RegisteredCapability[] {
    return this.#parts.inForce.capabilities();
  }

  /**
   * The enabled capabilities of which some rule permits some use, as an agent sees them. Listing one promises nothing:
   * each call is decided.
   */
  tools(): ToolDescription[] {
    return this.#parts.inForce.tools(this.#parts.open);
  }

  /**
   * Enables or disables a capability until an operator says otherwise, also after a restart; durable when it resolves.
   * `by` names who says so. Throws FEMTO_CAPABILITY_NOT_FOUND for an unknown name and FEMTO_CAPABILITY_DISABLED for one
   * that the configuration locks off.
   */
  async switchCapability(name: string, enable: boolean, by: string): Promise<void> {
    await this.#parts.inForce.switchCapability(this.#parts.journal, name, enable, by);
    this.#parts.open?.review();
  }

  /**
   * Puts the policy of another configuration, and of the files beside it, in force between two decisions; durable when it
   * resolves, with the compiled policy. Calls that were decided before end as they were decided. Throws FEMTO_RELOAD_RESTART, FEMTO_POLICY_INVALID or
   * FEMTO_SANDBOX_UNAVAILABLE, and leaves in force what was. Without `policyFiles` there are no such files any more.
   */
  async reload(candidate: PolicySource, by: string): Promise<CompiledPolicy> {
    const { gate, review } = this.#parts.openedGate;
    await this.#parts.inForce.reload(this.#parts.journal, candidate, by);
    review();
    await reviewQuestions(gate, this.#parts.inForce.policy, this.#parts.journal);
    return this.policy;
  }

  /** Records that a candidate for the policy could not even be read. */
  async rejectPolicy(error: unknown, by: string): Promise<void> {
    await recordRejection(this.#parts.journal, null, error, by);
  }

  /**
   * Records what became of an interrupted execution; resolves with that record's sequence number. Runs nothing. Throws
   * FEMTO_SOCKET_REQUEST without a reason, FEMTO_EXECUTION_NOT_FOUND, and FEMTO_EXECUTION_NOT_UNRESOLVED for one that
   * does not wait for it.
   */
  async resolveExecution(request: ResolutionRequest): Promise<number> {
    this.#resolutions ??= this.#startResolutions();
    return await (await this.#resolutions).resolve(request);
  }

  /**
   * Proposes the call that takes back what an execution did to files; resolves like any proposal. It does nothing where
   * anything but what that execution left is there now. Throws FEMTO_UNDO_IMPOSSIBLE where there is no such call, and
   * FEMTO_EXECUTION_NOT_FOUND.
   */
  async undo(execution: string): Promise<Reply> {
    const { undo } = await import("./undo.ts");
    return await undo(execution, this.#parts.journal, () => this.openSession({ channel: "operator" }));
  }

  /**
   * Ends a session for good: nothing of it begins any more, what runs is asked to end. Durable when it resolves. Throws
   * FEMTO_SESSION_NOT_FOUND.
   */
  async haltSession(request: HaltRequest): Promise<Halt> {
    const { gate, terminals } = this.#parts.openedGate;
    const halting = this.#parts.sessions.halt(request, gate, this.#parts.journal);
    terminals.review();
    return await halting;
  }

  /** What an operator sees at one look. It can be asked at any time, also while the runtime starts or ends. */
  status(): RuntimeStatus {
    return this.#parts.status;
  }

  /**
   * Takes no more calls, waits for what runs for `drainMs` milliseconds (10 seconds without it), ends what does not end
   * in time, and closes the journal. A second call waits for the first.
   */
  close(options: { readonly drainMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#parts.close(options.drainMs ?? LIMITS.drainMs);
    return this.#closing;
  }

  /** Ends what a running `close` still waits for. */
  hurry(): void {
    this.#parts.open?.gate.stopAll("the runtime is shutting down at once");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #startResolutions(): Promise<Resolutions> {
    const { journal, projection } = this.#parts.memory;
    const { Resolutions } = await import("./resolutions.ts");
    return new Resolutions({ journal, unresolved: () => projection.unresolved });
  }
}
