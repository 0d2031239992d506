/**
 * The runtime: starts the subsystems in order, opens the gate when all of them stand, keeps the live
 * actors in step with what is committed, and ends in order. Everything it does is a record.
 */
import assert from "node:assert/strict";
import type { Clock, Journal, LogReader } from "@femtoclaw/journal";
import type { CompiledPolicy } from "@femtoclaw/policy";
import {
  type BootId,
  errorText,
  type FemtoError,
  LIMITS,
  type RegisteredCapability,
  type Reply,
  type ToolDescription,
} from "@femtoclaw/protocol";
import { admissionProblem } from "./admission-problem.ts";
import { Approvals, reviewQuestions, takeUpQuestions } from "./approvals.ts";
import { recordBoot } from "./boot-record.ts";
import type { CapabilityPackages } from "./capability-packages/capability-packages.ts";
import { Chronicle } from "./chronicle.ts";
import { CommittedRecords } from "./committed-records.ts";
import { type Integrity, NOT_VERIFIED } from "./deployment.ts";
import type { Fork } from "./epochs/fork.ts";
import { type OpenGate, openGate } from "./gate/open-gate.ts";
import type { Problem } from "./gate/verdict.ts";
import { harmless } from "./harmless.ts";
import { endedReply } from "./history.ts";
import type { LogGrowth } from "./log-growth.ts";
import type { LogEntry, PolicySource, RuntimeOptions } from "./options.ts";
import type { OutputReader } from "./outputs/outputs.ts";
import type { Projection } from "./projection/projection.ts";
import { RefusalSummary } from "./refusal-summary.ts";
import { type ResolutionRequest, Resolutions } from "./resolutions.ts";
import { Retention } from "./retention.ts";
import { RuntimeFault } from "./runtime-fault.ts";
import { Secrets } from "./secrets/secrets.ts";
import { type Session, type SessionOptions, Sessions } from "./session.ts";
import type { Halt, HaltRequest } from "./session-halts.ts";
import { settled } from "./settled.ts";
import { gaugesOf, type RuntimeStatus, statusOf } from "./status.ts";
import { tellSpace } from "./subsystems/disk-space.ts";
import { InForce } from "./subsystems/in-force.ts";
import { type Memory, openMemory } from "./subsystems/memory.ts";
import { Observability } from "./subsystems/observability.ts";
import { recordRejection } from "./subsystems/reload.ts";
import { Witnessing } from "./subsystems/witnessing.ts";
import { Supervision } from "./supervision.ts";
import { type Surroundings, systemSurroundings } from "./surroundings.ts";
import { ActorSystem } from "./system.ts";
import type { Terminals } from "./terminals/terminals.ts";
import { undo } from "./undo.ts";
import type { Upstreams } from "./upstreams/upstreams.ts";

const TELEMETRY_FLUSH_MS = 3_000;

/**
 * One execution authority in this process: the gate, its journal, and what operators ask and say. `createRuntime`
 * starts one; `close` or `await using` ends it. A method that needs a started runtime fails an assertion before.
 */
export class Runtime implements AsyncDisposable {
  readonly #options: RuntimeOptions;
  readonly #surroundings: Surroundings;
  /** Identifier of this start; each record of it names it. */
  readonly boot: BootId;
  readonly #system: ActorSystem;
  readonly #chronicle: Chronicle;
  readonly #supervision: Supervision;
  readonly #committed: CommittedRecords;
  readonly #inForce: InForce;
  readonly #fault: RuntimeFault;
  readonly #sessions: Sessions;
  readonly #log: (entry: LogEntry) => void;
  #integrity: Integrity = NOT_VERIFIED;
  #memory: Memory | null = null;
  #observability: Observability | null = null;
  #witnessing: Witnessing | null = null;
  #open: OpenGate | null = null;
  #resolutions: Resolutions | null = null;
  #refusals: RefusalSummary | null = null;
  #closing: Promise<void> | null = null;
  /**
   * Secrets that requests carry and agents never see: `list`, `add` and `remove`, for operators. Throws
   * FEMTO_SECRET_INVALID and FEMTO_SECRET_NOT_FOUND.
   */
  readonly secrets: Secrets;
  /** For who follows the log: waits until it has grown. */
  readonly growth: Pick<LogGrowth, "until">;

  /** Use `createRuntime`. */
  constructor(options: RuntimeOptions) {
    this.#options = options;
    this.#surroundings = options.surroundings ?? systemSurroundings();
    this.boot = this.#surroundings.newId() as BootId;
    this.#log = harmless("the listener to the log", (entry: LogEntry) => options.log?.(entry));
    this.#system = new ActorSystem({
      ...(options.inspect === undefined ? {} : { inspect: options.inspect }),
      lastState: (subsystem) => (this.#memory === null ? undefined : this.#memory.projection.machine(subsystem)),
    });
    this.#chronicle = new Chronicle({
      system: this.#system,
      log: this.#log,
      onUnrecorded: (fault) => this.#fault.meet(fault),
    });
    this.#fault = new RuntimeFault({
      system: this.#system,
      chronicle: this.#chronicle,
      log: this.#log,
      stop: (reason) => {
        this.#open?.gate.stopAll(reason);
        void this.#open?.stopPrograms(reason);
      },
    });
    this.#committed = new CommittedRecords({ system: this.#system, clock: this.#clock, log: this.#log });
    this.growth = this.#committed.growth;
    this.#sessions = new Sessions({
      newId: () => this.#surroundings.newId(),
      agents: Object.keys(options.configuration.authority.agents ?? {}),
      histories: () => this.#opened.histories,
      record: (entry) => this.#chronicle.record(entry),
      clock: this.#clock,
      closed: (session) => this.#open?.endSession(session),
      ended: (execution, principal) => endedReply(this.#journal, execution, principal),
    });
    this.secrets = new Secrets(options.configuration.stateDirectory, () => this.#journal);
    this.#supervision = new Supervision({
      system: this.#system,
      clock: this.#clock,
      restarters: {
        policy: async () => await this.#inForce.policy.restart(),
        observability: async () => this.#observability?.restart(),
      },
      record: (entry) => this.#chronicle.record(entry),
      onLost: (subsystem, crash) => this.#fault.subsystemLost(`${subsystem}: ${crash.reason}`),
    });
    this.#inForce = new InForce({
      options,
      system: this.#system,
      chronicle: this.#chronicle,
      clock: this.#clock,
      openPolicyEngine: (engine) => this.#surroundings.openPolicyEngine(engine),
      onPolicyCrash: (reason) => this.#supervision.crash("policy", "FEMTO_POLICY_ERROR", reason),
      log: this.#log,
    });
  }

  /** Brings the runtime to `idle`, or throws the fault that keeps it from there; nothing was executed then. */
  async start(): Promise<void> {
    try {
      this.#integrity = (await this.#options.verifyIntegrity?.()) ?? NOT_VERIFIED;
      this.#chronicle.advance({ type: "integrity.verified" });
      this.#chronicle.advance({ type: "configuration.loaded" });
      this.#inForce.beginTrial();
      await this.#startMemory();
      await this.#inForce.startRegistry(this.projection.overrides);
      this.#chronicle.advance({ type: "registry.ready" });
      await this.#inForce.startPolicy(this.#memory?.activePolicy ?? null);
      this.#chronicle.advance({ type: "policy.ready" });
      await this.#startObservability();
      await this.#startWitnessing();
      const { gate, packages } = this.#openGate();
      await packages.start();
      await this.#chronicle.durable();
      if (this.#fault.error !== null) throw this.#fault.error;
      const { questions } = this.projection;
      await takeUpQuestions(questions, { gate, journal: this.#journal, clock: this.#clock });
      // An older boot that is remembered is as right as this one, only less; a disk that is full ends nothing here.
      await this.#memory?.remember().catch((error: unknown) => {
        this.#log({ level: "warn", event: "identity.unwritten", reason: errorText(error) });
      });
    } catch (error) {
      // What follows from a fault hides it less than it explains it.
      const cause = this.#fault.error ?? error;
      // What can still be recorded is, and everything taken is given back.
      this.#fault.startFailed(cause);
      await this.#end();
      throw cause;
    }
  }

  /**
   * Resolves with the fault when the runtime meets one that it cannot go on with; it has stopped taking calls then. It
   * never rejects, and stays pending where nothing fails.
   */
  get failed(): Promise<FemtoError> {
    return this.#fault.met;
  }

  /** Read access to the journal, for history, replay and audit. */
  get reader(): LogReader {
    return this.#journal;
  }

  /** Signs a checkpoint over everything that is durable now; resolves with the signed note. */
  checkpoint(): Promise<string> {
    return this.#journal.checkpoint();
  }

  /**
   * Retires the key that signs the log for a new one; resolves with the new public key, as `name+id+key`, once it is in
   * force.
   */
  rotateKey(): Promise<string> {
    return this.#journal.rotateKey();
  }

  /** Takes out of the journal what an operator wants gone. */
  get retention(): Retention {
    const { journal, projection, remember } = this.#opened;
    return new Retention({ journal, clock: this.#clock, projection: () => projection, remember });
  }

  /**
   * Makes a state directory of its own at the absolute path `out`, which goes on from record `seq` of this log; this
   * one goes on as if nothing were. Throws FEMTO_FORK_REFUSED.
   */
  async fork(seq: number, out: string): Promise<Fork> {
    // The newest checkpoint covers everything that is durable now. What exports a log is loaded for a fork alone.
    await this.checkpoint();
    const options = { reader: this.reader, seq, out, stateDirectory: this.#options.configuration.stateDirectory };
    return await (await import("./epochs/fork.ts")).forkLog(options);
  }

  /** The state after the newest record. */
  get projection(): Projection {
    return this.#opened.projection;
  }

  /** The compiled policy in force. */
  get policy(): CompiledPolicy {
    return this.#inForce.policy.compiled;
  }

  /** The rules on trial; null where none are. They decide nothing. */
  get shadow(): CompiledPolicy | null {
    return this.#inForce.shadow?.compiled ?? null;
  }

  /**
   * Opens a session, through which somebody proposes. Throws FEMTO_OVERLOADED where `LIMITS.openSessions` are open, and
   * a `TypeError` for a principal that has no `[agent.NAME]` in the configuration, and for what is no such option.
   */
  openSession(options: SessionOptions): Session {
    return this.#sessions.open(options, this.#openedGate);
  }

  /** Questions to operators: what waits, and the answers to it. */
  get approvals(): Approvals {
    const { gate } = this.#openedGate;
    const { approvals: settings } = this.#inForce.configuration;
    return new Approvals({
      gate,
      journal: this.#journal,
      settings,
      log: this.#journal.origin,
      policy: () => this.policy,
    });
  }

  /** Terminals that are open, for operators. */
  get terminals(): Pick<Terminals, "list" | "watch"> {
    return this.#openedGate.terminals;
  }

  /** Output of what runs, of whichever session, for operators. */
  get outputs(): OutputReader {
    return this.#openedGate.outputs.reader("operators");
  }

  /** MCP servers of others, for operators. Each starts when a tool of it is called first, or all with `start`. */
  get upstreams(): Pick<Upstreams, "start" | "list" | "accept" | "reset" | "capabilities" | "settled"> {
    return this.#openedGate.upstreams;
  }

  /** Capabilities of others that are packages, for operators. */
  get packages(): Pick<CapabilityPackages, "list" | "accept" | "reset"> {
    return this.#openedGate.packages;
  }

  /** Every registered capability, whether it is enabled, and who said so. */
  capabilities(): readonly RegisteredCapability[] {
    return this.#inForce.capabilities();
  }

  /**
   * The enabled capabilities of which some rule permits some use, as an agent sees them. Listing one promises nothing:
   * each call is decided.
   */
  tools(): ToolDescription[] {
    return this.#inForce.tools(this.#open);
  }

  /**
   * Enables or disables a capability until an operator says otherwise, also after a restart; durable when it resolves.
   * `by` names who says so. Throws FEMTO_CAPABILITY_NOT_FOUND for an unknown name and FEMTO_CAPABILITY_DISABLED for one
   * that the configuration locks off.
   */
  async switchCapability(name: string, enable: boolean, by: string): Promise<void> {
    await this.#inForce.switchCapability(this.#journal, name, enable, by);
    this.#open?.review();
  }

  /**
   * Puts the policy of another configuration and of the files beside it in force, between two decisions; durable when it resolves. Calls that
   * were decided before end as they were decided. Throws FEMTO_RELOAD_RESTART, FEMTO_POLICY_INVALID or
   * FEMTO_SANDBOX_UNAVAILABLE, and leaves in force what was. Without `policyFiles` there are no such files any more.
   */
  async reload(candidate: PolicySource, by: string): Promise<CompiledPolicy> {
    const { gate, review } = this.#openedGate;
    await this.#inForce.reload(this.#journal, candidate, by);
    review();
    await reviewQuestions(gate, this.#inForce.policy, this.#journal);
    return this.policy;
  }

  /** Records that a candidate for the policy could not even be read. */
  async rejectPolicy(error: unknown, by: string): Promise<void> {
    await recordRejection(this.#journal, null, error, by);
  }

  /**
   * Records what became of an interrupted execution; resolves with that record's sequence number. Runs nothing. Throws
   * FEMTO_SOCKET_REQUEST without a reason, FEMTO_EXECUTION_NOT_FOUND, and FEMTO_EXECUTION_NOT_UNRESOLVED for one that
   * does not wait for it.
   */
  async resolveExecution(request: ResolutionRequest): Promise<number> {
    const { projection } = this;
    this.#resolutions ??= new Resolutions({ journal: this.#journal, unresolved: () => projection.unresolved });
    return await this.#resolutions.resolve(request);
  }

  /**
   * Proposes the call that takes back what an execution did to files; resolves like any proposal. It does nothing where
   * anything but what that execution left is there now. Throws FEMTO_UNDO_IMPOSSIBLE where there is no such call, and
   * FEMTO_EXECUTION_NOT_FOUND.
   */
  async undo(execution: string): Promise<Reply> {
    return await undo(execution, this.#journal, () => this.openSession({ channel: "operator" }));
  }

  /**
   * Ends a session for good: nothing of it begins any more, what runs is asked to end. Durable when it resolves. Throws
   * FEMTO_SESSION_NOT_FOUND.
   */
  async haltSession(request: HaltRequest): Promise<Halt> {
    const { gate, terminals } = this.#openedGate;
    const halting = this.#sessions.halt(request, gate, this.#journal);
    terminals.review();
    return await halting;
  }

  /** What an operator sees at one look. It can be asked at any time, also while the runtime starts or ends. */
  status(): RuntimeStatus {
    return statusOf({
      configuration: this.#inForce.configuration,
      ...{ boot: this.boot, system: this.#system, memory: this.#memory },
      ...{ running: this.#open?.gate.running ?? 0, queued: this.#open?.stages.queued ?? 0 },
      ...{ sessions: this.#sessions.live, clock: this.#clock },
      ...{ waiting: this.#open?.gate.questions.open.size ?? 0, terminals: this.#open?.terminals.running ?? 0 },
      ...{ policy: this.#inForce.compiled, shadow: this.#inForce.shadow },
      capabilities: this.capabilities(),
      sandbox: this.#inForce.confinement.probe,
      witnesses: this.#witnessing?.status ?? [],
      ...{ integrity: this.#integrity, deployment: this.#inForce.deployment },
      ...{ problem: this.#admissionProblem, fault: this.#fault.first },
    });
  }

  /**
   * Takes no more calls, waits for what runs for `drainMs` milliseconds (10 seconds without it), ends what does not end
   * in time, and closes the journal. A second call waits for the first.
   */
  close(options: { readonly drainMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.drainMs ?? LIMITS.drainMs);
    return this.#closing;
  }

  /** Ends what a running `close` still waits for. */
  hurry(): void {
    this.#open?.gate.stopAll("the runtime is shutting down at once");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #admissionProblem(): Problem | null {
    return admissionProblem(this.#system.phase, this.#memory, this.#witnessing);
  }

  get #clock(): Clock {
    return this.#surroundings.clock;
  }

  get #opened(): Memory {
    assert(this.#memory !== null, "the runtime has started");
    return this.#memory;
  }

  get #openedGate(): OpenGate {
    assert(this.#open !== null, "the runtime has started");
    return this.#open;
  }

  get #journal(): Journal {
    return this.#opened.journal;
  }

  async #startMemory(): Promise<void> {
    const { configuration, snapshotEveryRecords, onEpoch } = this.#options;
    const memory = await openMemory({
      system: this.#system,
      stateDirectory: configuration.stateDirectory,
      boot: this.boot,
      surroundings: this.#surroundings,
      ...(snapshotEveryRecords === undefined ? {} : { snapshotEveryRecords }),
      ...(onEpoch === undefined ? {} : { onEpoch }),
      onCommitted: (records) => {
        this.#committed.take(records);
        this.#observability?.wake(records);
      },
      onFailed: (error) => this.#fault.journalFailed(error),
      onSpace: (full) => tellSpace(full, { system: this.#system, chronicle: this.#chronicle, log: this.#log }),
      log: this.#log,
    });
    this.#memory = memory;
    recordBoot(this.#chronicle, memory, {
      options: this.#options,
      identity: this.#surroundings.process,
      integrity: this.#integrity,
      deployment: this.#inForce.deploy(this.#integrity.binary),
      log: this.#log,
    });
    this.#chronicle.advance({ type: "memory.ready" });
  }

  async #startObservability(): Promise<void> {
    this.#observability = new Observability({
      system: this.#system,
      clock: this.#clock,
      exporter: this.#options.telemetry ?? null,
      reader: this.#journal,
      stateDirectory: this.#options.configuration.stateDirectory,
      origin: this.#journal.origin,
      gauges: () => gaugesOf(this.status()),
      record: (entry) => this.#chronicle.record(entry),
      log: this.#log,
    });
    await this.#observability.start();
    this.#chronicle.advance({ type: "observability.ready" });
  }

  async #startWitnessing(): Promise<void> {
    const { configuration, witnesses = [] } = this.#options;
    this.#witnessing = await Witnessing.start({
      witnesses,
      required: configuration.witnessesRequired,
      stateDirectory: configuration.stateDirectory,
      journal: this.#journal,
      clock: this.#clock,
      log: this.#log,
    });
  }

  #openGate(): OpenGate {
    this.#open = openGate({
      configuration: this.#options.configuration,
      clock: this.#clock,
      newId: () => this.#surroundings.newId(),
      system: this.#system,
      registry: this.#inForce.registry,
      policy: this.#inForce.policy,
      standing: (principal) => this.#inForce.standing(principal),
      journal: this.#journal,
      histories: this.#opened.histories,
      lookUp: this.#surroundings.lookUp,
      secrets: (name, target) => this.secrets.find(name, target),
      admission: () => this.#admissionProblem,
      quota: (session) => this.#sessions.quotaOf(session),
      lost: (execution, reason) => this.#log({ level: "error", event: "execution.lost", execution, reason }),
      upstreams: { pins: () => this.projection.pins, log: this.#log },
      terminals: {
        record: (entry) => this.#chronicle.record(entry),
        hasRoom: () => this.#opened.space.full === null,
        isOpen: (session) => this.#sessions.isOpen(session),
      },
    });
    const { gate } = this.#open;
    this.#refusals = new RefusalSummary({
      clock: this.#clock,
      takeCounts: () => gate.takeRefusalCounts(),
      record: (entry) => this.#chronicle.record(entry),
    });
    return this.#open;
  }

  async #close(drainMs: number): Promise<void> {
    this.#chronicle.advance({ type: "drain" });
    if (this.#open !== null) {
      const { gate, stopPrograms } = this.#open;
      await settled(this.#clock, gate.idle(), drainMs);
      gate.stopAll("the runtime is shutting down");
      await settled(this.#clock, gate.idle(), 4 * LIMITS.graceMs);
      await stopPrograms("the host stopped");
      gate.close();
    }
    this.#sessions.closeAll();
    this.#refusals?.record();
    this.#chronicle.advance({ type: "drained" });
    await this.#end();
  }

  async #end(): Promise<void> {
    this.#refusals?.stop();
    this.#supervision.stop();
    this.#chronicle.advance({ type: "shutdown" });
    // What no room was found for while executions had their time to end keeps nothing longer from ending.
    this.#memory?.stopWaiting();
    await this.#chronicle.durable().catch(() => undefined);
    await Promise.all([this.#observability?.stop(TELEMETRY_FLUSH_MS), this.#inForce.confinement.end()]);
    // Once nothing is recorded any more, witnesses get the last checkpoint.
    await this.#memory?.close(async () => this.#witnessing?.stop(LIMITS.witnessStopMs));
    this.#system.advance({ type: "stopped" });
    this.#system.stop();
  }
}
