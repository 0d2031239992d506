/**
 * The parts of one runtime: made and connected, started in order, and ended in order. The gate opens when all the
 * others are up. Each step of a start and of an end is a record.
 */
import assert from "node:assert/strict";
import type { Clock, Journal, JournalReader } from "@femtoclaw/journal";
import { type BootId, errorText, LIMITS } from "@femtoclaw/protocol";
import { Supervision } from "./actors/supervision.ts";
import { ActorSystem } from "./actors/system.ts";
import { admissionProblem } from "./admission-problem.ts";
import { recordBoot } from "./boot/boot-record.ts";
import { Chronicle } from "./chronicle.ts";
import { CommittedRecords } from "./committed-records.ts";
import { type Integrity, NOT_VERIFIED } from "./deployment.ts";
import { drain, type OpenGate, openGate } from "./gate/open-gate.ts";
import type { Problem } from "./gate/verdict.ts";
import { handedOut, JOURNAL_READER } from "./handed-out.ts";
import { harmless } from "./harmless.ts";
import type { LogGrowth } from "./log-growth.ts";
import { takeUpQuestions } from "./operators/approvals.ts";
import { endedReply } from "./operators/history.ts";
import { gaugesOf, type RuntimeStatus, statusOf } from "./operators/status.ts";
import type { LogEntry, RuntimeOptions } from "./options.ts";
import type { Projection } from "./projection/projection.ts";
import { RuntimeFault } from "./runtime-fault.ts";
import { Secrets } from "./secrets/secrets.ts";
import { Sessions } from "./sessions/sessions.ts";
import { tellSpace } from "./subsystems/disk-space.ts";
import { InForce } from "./subsystems/in-force.ts";
import { type Memory, openMemory } from "./subsystems/memory.ts";
import { Observability } from "./subsystems/observability.ts";
import { Witnessing } from "./subsystems/witnessing.ts";
import { type Surroundings, systemSurroundings } from "./surroundings.ts";

/** The parts behind the class `Runtime`. If a part needs one that is made later, it gets it through a function. */
export class Assembly {
  readonly options: RuntimeOptions;
  readonly boot: BootId;
  readonly clock: Clock;
  readonly sessions: Sessions;
  readonly inForce: InForce;
  readonly fault: RuntimeFault;
  readonly secrets: Secrets;
  readonly growth: LogGrowth;
  readonly #surroundings: Surroundings;
  readonly #system: ActorSystem;
  readonly #chronicle: Chronicle;
  readonly #supervision: Supervision;
  readonly #committed: CommittedRecords;
  readonly #log: (entry: LogEntry) => void;
  #integrity: Integrity = NOT_VERIFIED;
  #memory: Memory | null = null;
  #observability: Observability | null = null;
  #witnessing: Witnessing | null = null;
  #open: OpenGate | null = null;

  constructor(options: RuntimeOptions) {
    this.options = options;
    this.#surroundings = options.surroundings ?? systemSurroundings();
    this.clock = this.#surroundings.clock;
    this.boot = this.#surroundings.newId() as BootId;
    this.#log = harmless("the listener to the log", (entry: LogEntry) => options.log?.(entry));
    this.#system = new ActorSystem({
      ...(options.inspect === undefined ? {} : { inspect: options.inspect }),
      lastState: (subsystem) => (this.#memory === null ? undefined : this.#memory.projection.machine(subsystem)),
    });
    this.#chronicle = new Chronicle({
      system: this.#system,
      log: this.#log,
      onUnrecorded: (fault) => this.fault.meet(fault),
    });
    this.fault = new RuntimeFault({
      system: this.#system,
      chronicle: this.#chronicle,
      log: this.#log,
      stop: (reason) => this.#open?.breakOff(reason),
    });
    this.#committed = new CommittedRecords({ system: this.#system, clock: this.clock, log: this.#log });
    this.growth = this.#committed.growth;
    this.sessions = new Sessions({
      newId: () => this.#surroundings.newId(),
      agents: Object.keys(options.configuration.authority.agents ?? {}),
      histories: () => this.memory.histories,
      record: (entry) => this.#chronicle.record(entry),
      clock: this.clock,
      closed: (session) => this.#open?.endSession(session),
      ended: (execution, principal) => endedReply(this.journal, execution, principal),
    });
    this.secrets = new Secrets(
      options.configuration.stateDirectory,
      () => this.journal,
      () => this.#open?.upstreams.lookAnew(),
    );
    this.#supervision = new Supervision({
      system: this.#system,
      clock: this.clock,
      restarters: {
        policy: async () => await this.inForce.policy.restart(),
        observability: async () => this.#observability?.restart(),
      },
      record: (entry) => this.#chronicle.record(entry),
      onLost: (subsystem, crash) => this.fault.subsystemLost(`${subsystem}: ${crash.reason}`),
    });
    this.inForce = new InForce({
      options,
      system: this.#system,
      chronicle: this.#chronicle,
      clock: this.clock,
      openPolicyEngine: (engine) => this.#surroundings.openPolicyEngine(engine),
      onPolicyCrash: (reason) => this.#supervision.crash("policy", "FEMTO_POLICY_ERROR", reason),
      log: this.#log,
    });
  }

  /** Storage, journal and state. Like `journal` and `openedGate`, it fails an assertion before the start made it. */
  get memory(): Memory {
    assert(this.#memory !== null, "the runtime has started");
    return this.#memory;
  }

  get journal(): Journal {
    return this.memory.journal;
  }

  /** The gate and everything that goes on beside its calls; null before the start has opened it. */
  get open(): OpenGate | null {
    return this.#open;
  }

  get openedGate(): OpenGate {
    assert(this.#open !== null, "the runtime has started");
    return this.#open;
  }

  get status(): RuntimeStatus {
    return statusOf({
      boot: this.boot,
      system: this.#system,
      clock: this.clock,
      memory: this.#memory,
      open: this.#open,
      inForce: this.inForce,
      sessions: this.sessions.live,
      witnesses: this.#witnessing?.status ?? [],
      integrity: this.#integrity,
      problem: this.#admissionProblem,
      fault: this.fault.first,
    });
  }

  /** Brings the runtime to `idle`, or throws the fault that prevents it; in that case nothing runs any more. */
  async start(): Promise<void> {
    try {
      this.#integrity = (await this.options.verifyIntegrity?.()) ?? NOT_VERIFIED;
      this.#chronicle.advance({ type: "integrity.verified" });
      this.#chronicle.advance({ type: "configuration.loaded" });
      this.inForce.beginTrial();
      await this.#startMemory();
      await this.inForce.startRegistry(this.memory.projection.overrides);
      this.#chronicle.advance({ type: "registry.ready" });
      await this.inForce.startPolicy(this.memory.activePolicy);
      this.#chronicle.advance({ type: "policy.ready" });
      await this.#startObservability();
      await this.#startWitnessing();
      const { gate, packages } = this.#openGate();
      await packages.start();
      await this.#chronicle.durable();
      if (this.fault.error !== null) throw this.fault.error;
      await takeUpQuestions(this.memory, gate, this.clock);
      // If this fails, the previous boot stays remembered, which is still correct and only less precise.
      await this.memory.remember().catch((error: unknown) => {
        this.#log({ level: "warn", event: "identity.unwritten", reason: errorText(error) });
      });
    } catch (error) {
      // The fault that was met first is the cause; what was thrown later only follows from it.
      const cause = this.fault.error ?? error;
      this.fault.failed(cause);
      // Whatever can still be recorded is recorded, and every resource is released. A call that waited before may
      // already run.
      await this.close(0).catch((later: unknown) => {
        this.#log({ level: "error", event: "start.unreleased", reason: errorText(later) });
      });
      throw cause;
    }
  }

  /** Waits up to `drainMs` for running calls, ends those that remain, and releases every resource. */
  async close(drainMs: number): Promise<void> {
    this.#chronicle.advance({ type: "drain" });
    try {
      if (this.#open !== null) await drain(this.#open, this.clock, drainMs);
      this.sessions.closeAll();
      this.#open?.refusals.record();
      this.#chronicle.advance({ type: "drained" });
    } catch (error) {
      this.fault.failed(error);
      throw error;
    } finally {
      await this.#end();
    }
  }

  get #admissionProblem(): Problem | null {
    return admissionProblem(this.#system.phase, this.#memory, this.#witnessing);
  }

  async #startMemory(): Promise<void> {
    const { configuration, snapshotEveryRecords, onEpoch } = this.options;
    this.#memory = await openMemory({
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
      onFailed: (error) => this.fault.journalFailed(error),
      onSpace: (full) => tellSpace(full, { system: this.#system, chronicle: this.#chronicle, log: this.#log }),
      log: this.#log,
    });
    const { open } = this.#memory.projection;
    recordBoot(this.#chronicle, this.#memory, {
      options: this.options,
      identity: this.#surroundings.process,
      integrity: this.#integrity,
      deployment: this.inForce.deploy(this.#integrity.binary),
      log: this.#log,
    });
    // Nobody waits for it: the folder of a file may take its time, or never answer.
    if (open.size > 0) void this.#sweep(open);
    this.#chronicle.advance({ type: "memory.ready" });
  }

  async #sweep(open: Projection["open"]): Promise<void> {
    const { sweepInterruptedWrites } = await import("./interrupted-writes.ts");
    await sweepInterruptedWrites(this.journal, open, this.#log);
  }

  async #startObservability(): Promise<void> {
    this.#observability = new Observability({
      system: this.#system,
      clock: this.clock,
      exporter: this.options.telemetry ?? null,
      reader: handedOut<JournalReader>(this.journal, JOURNAL_READER),
      stateDirectory: this.options.configuration.stateDirectory,
      origin: this.journal.origin,
      gauges: () => gaugesOf(this.status),
      record: (entry) => this.#chronicle.record(entry),
      log: this.#log,
    });
    await this.#observability.start();
    this.#chronicle.advance({ type: "observability.ready" });
  }

  async #startWitnessing(): Promise<void> {
    const { configuration, witnesses = [] } = this.options;
    this.#witnessing = await Witnessing.start({
      witnesses,
      required: configuration.witnessesRequired,
      stateDirectory: configuration.stateDirectory,
      journal: this.journal,
      clock: this.clock,
      log: this.#log,
    });
  }

  #openGate(): OpenGate {
    this.#open = openGate({
      configuration: this.options.configuration,
      clock: this.clock,
      surroundings: this.#surroundings,
      system: this.#system,
      inForce: this.inForce,
      memory: this.memory,
      sessions: this.sessions,
      secrets: (name, target) => this.secrets.find(name, target),
      admission: () => this.#admissionProblem,
      record: (entry) => this.#chronicle.record(entry),
      log: this.#log,
    });
    return this.#open;
  }

  async #end(): Promise<void> {
    this.#open?.refusals.stop();
    this.#supervision.stop();
    this.#chronicle.advance({ type: "shutdown" });
    // The disk may still be full. Records that found no room while executions had their time to end are not waited for
    // any longer.
    this.#memory?.stopWaiting();
    await this.#chronicle.durable().catch(() => undefined);
    try {
      await Promise.all([this.#observability?.stop(), this.inForce.confinement.end()]);
    } finally {
      // Witnesses get the last checkpoint once nothing is recorded any more.
      await this.#memory?.close(async () => this.#witnessing?.stop(LIMITS.witnessStopMs));
    }
    this.#system.advance({ type: "stopped" });
    this.#system.stop();
  }
}
