/**
 * The runtime: starts the subsystems in order, opens the gate when all of them stand, keeps the live
 * actors in step with what is committed, and ends in order. Everything it does is a record.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { builtinCapabilities } from "@femtoclaw/capabilities";
import type { Appended, ErasureRequest, Journal, LogReader, Pruning } from "@femtoclaw/journal";
import type { Fault } from "@femtoclaw/machines";
import type { CompiledPolicy } from "@femtoclaw/policy";
import {
  type BootId,
  errorText,
  FemtoError,
  LIMITS,
  type RecordActor,
  type RegisteredCapability,
  type ToolDescription,
  type TypedRecord,
} from "@femtoclaw/protocol";
import { bootEntry } from "./boot-record.ts";
import { Chronicle } from "./chronicle.ts";
import { systemClock } from "./clock.ts";
import { type OpenGate, openGate } from "./gate/open-gate.ts";
import type { Problem } from "./gate/verdict.ts";
import { harmless } from "./harmless.ts";
import type { LogEntry, RuntimeOptions } from "./options.ts";
import type { Projection } from "./projection/projection.ts";
import { type PruneRequest, pruningOf } from "./pruning.ts";
import { type Session, type SessionOptions, Sessions } from "./session.ts";
import { settled } from "./settled.ts";
import { type RuntimeStatus, statusOf } from "./status.ts";
import { Confinement } from "./subsystems/confinement.ts";
import { type Memory, openMemory } from "./subsystems/memory.ts";
import { Observability } from "./subsystems/observability.ts";
import { Policy } from "./subsystems/policy.ts";
import { Registry } from "./subsystems/registry.ts";
import { Supervision } from "./supervision.ts";
import { ActorSystem } from "./system.ts";

const OVERLOAD_SUMMARY_MS = 1_000;
const TELEMETRY_FLUSH_MS = 3_000;

export class Runtime implements AsyncDisposable {
  readonly #options: RuntimeOptions;
  readonly #clock = systemClock();
  readonly #boot = randomUUID() as string as BootId;
  readonly #system: ActorSystem;
  readonly #chronicle: Chronicle;
  readonly #supervision: Supervision;
  readonly #confinement: Confinement;
  readonly #sessions = new Sessions((entry) => this.#chronicle.record(entry));
  readonly #log: (entry: LogEntry) => void;
  #memory: Memory | null = null;
  #registry: Registry | null = null;
  #policy: Policy | null = null;
  #observability: Observability | null = null;
  #open: OpenGate | null = null;
  #executing = 0;
  #fault: Fault | null = null;
  #summary: NodeJS.Timeout | null = null;
  #closing: Promise<void> | null = null;
  readonly #failed = Promise.withResolvers<FemtoError>();

  /** Use `createRuntime`. */
  constructor(options: RuntimeOptions) {
    this.#options = options;
    this.#log = harmless("the listener to the log", (entry: LogEntry) => options.log?.(entry));
    this.#confinement = new Confinement(options.configuration.authority);
    this.#system = new ActorSystem({
      ...(options.inspect === undefined ? {} : { inspect: options.inspect }),
      lastState: (subsystem) => (this.#memory === null ? undefined : this.#memory.projection.machine(subsystem)),
    });
    this.#chronicle = new Chronicle({
      system: this.#system,
      log: this.#log,
      onUnrecorded: (fault) => this.#fail(fault),
    });
    this.#supervision = new Supervision({
      system: this.#system,
      restarters: {
        policy: async () => this.#policy?.restart(),
        observability: async () => this.#observability?.restart(),
      },
      nowMs: () => Math.floor(this.#clock.nowUs() / 1000),
      record: (entry) => this.#chronicle.record(entry),
      onLost: (subsystem, crash) => this.#lost(`${subsystem}: ${crash.reason}`),
    });
  }

  /** Brings the runtime to `idle`, or throws the fault that keeps it from there; nothing was executed then. */
  async start(): Promise<void> {
    try {
      this.#chronicle.advance({ type: "integrity.verified" });
      this.#chronicle.advance({ type: "configuration.loaded" });
      await this.#startMemory();
      await this.#startRegistry();
      await this.#startPolicy();
      await this.#startObservability();
      this.#openGate();
      await this.#chronicle.durable();
      if (this.#fault !== null) throw faultError(this.#fault);
    } catch (error) {
      // What follows from a fault hides it less than it explains it.
      const cause = this.#fault === null ? error : faultError(this.#fault);
      await this.#abort(cause);
      throw cause;
    }
  }

  /** Resolves when the runtime met a fault that it cannot go on with; it has stopped taking calls then. */
  get failed(): Promise<FemtoError> {
    return this.#failed.promise;
  }

  get boot(): BootId {
    return this.#boot;
  }

  /** Read access to the journal, for history, replay and audit. */
  get reader(): LogReader {
    return this.journal;
  }

  /** A signed checkpoint over everything that is durable now. */
  checkpoint(): Promise<string> {
    return this.journal.checkpoint();
  }

  /** Retires the key that signs the log for a new one; resolves with the new public key once it is in force. */
  rotateKey(): Promise<string> {
    return this.journal.rotateKey();
  }

  /** Erases values that a record commits to, for good; resolves once they lie in no file any more. */
  async erase(request: Omit<ErasureRequest, "actor">, by: string): Promise<Appended> {
    return await this.journal.erase({ ...request, actor: operatorActor(by) });
  }

  /** What `prune` would drop. */
  async planPruning(request: PruneRequest): Promise<Pruning> {
    return await pruningOf(this.journal, this.projection.open, request, this.#clock.nowUs() / 1_000);
  }

  /** Drops the oldest records for good; resolves once they are gone. */
  async prune(request: PruneRequest, by: string): Promise<Pruning> {
    const pruning = await this.planPruning(request);
    await this.journal.prune(pruning, operatorActor(by));
    return pruning;
  }

  /** The state after the newest record. */
  get projection(): Projection {
    assert(this.#memory !== null, "the runtime has started");
    return this.#memory.projection;
  }

  get policy(): CompiledPolicy {
    assert(this.#policy !== null, "the runtime has started");
    return this.#policy.compiled;
  }

  openSession(options: SessionOptions): Session {
    assert(this.#open !== null, "the runtime has started");
    return this.#sessions.open(options, this.#open.gate);
  }

  capabilities(): readonly RegisteredCapability[] {
    return this.#registry?.list() ?? [];
  }

  /** The enabled capabilities as an agent sees them. Listing one promises nothing: each call is decided. */
  tools(): ToolDescription[] {
    return this.#registry?.tools() ?? [];
  }

  /** Switches a capability; durable when it resolves. Throws for an unknown name and for one that the configuration locks. */
  async switchCapability(name: string, enable: boolean, by: string): Promise<void> {
    assert(this.#registry !== null, "the runtime has started");
    const { isolation } = this.#registry.check(name, enable);
    if (enable && isolation === "sandbox") await this.#confinement.require([name]);
    await this.journal.append({
      type: enable ? "capability.enabled" : "capability.disabled",
      actor: operatorActor(by),
      session: null,
      execution: null,
      body: { name },
    });
    this.#registry.apply(name, enable);
  }

  status(): RuntimeStatus {
    return statusOf({
      configuration: this.#options.configuration,
      boot: this.#boot,
      system: this.#system,
      memory: this.#memory,
      running: this.#open?.gate.running ?? 0,
      queued: this.#open?.stages.queued ?? 0,
      policy: this.#policy?.compiled ?? null,
      capabilities: this.capabilities(),
      sandbox: this.#confinement.probe,
      fault: this.#fault,
    });
  }

  /** Takes no more calls, waits for what runs, ends what does not end in time, and closes the journal. */
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

  private get journal(): Journal {
    assert(this.#memory !== null, "the runtime has started");
    return this.#memory.journal;
  }

  async #startMemory(): Promise<void> {
    const { configuration, snapshotEveryRecords } = this.#options;
    const memory = await openMemory({
      system: this.#system,
      stateDirectory: configuration.stateDirectory,
      boot: this.#boot,
      clock: this.#clock,
      ...(snapshotEveryRecords === undefined ? {} : { snapshotEveryRecords }),
      onCommitted: (records) => this.#committed(records),
      onFailed: (error) => this.#journalFailed(error),
    });
    this.#memory = memory;
    const { host, open } = memory.projection;
    const interrupted = [...open];
    this.#chronicle.open(bootEntry(host, this.#options), memory.journal);
    // INVARIANT: I2: an intent without outcome is never run again; what became of it is for a person to say.
    for (const [execution, { intent, tool, session, boot }] of interrupted) {
      this.#chronicle.record({ type: "execution.interrupted", session, execution, body: { intent, tool, boot } });
    }
    if (interrupted.length > 0) {
      this.#log({ level: "warn", event: "execution.interrupted", count: interrupted.length });
    }
    this.#chronicle.advance({ type: "memory.ready" });
  }

  async #startRegistry(): Promise<void> {
    const { configuration, capabilities = [] } = this.#options;
    this.#registry = new Registry(this.#system, configuration, [...builtinCapabilities, ...capabilities]);
    const { overrides } = this.projection;
    const declarations = this.#registry.declarations(overrides);
    const confined = declarations.filter(({ enabled, isolation }) => enabled && isolation === "sandbox");
    await this.#confinement.require(confined.map(({ name }) => name));
    this.#chronicle.record({
      type: "registry.loaded",
      session: null,
      execution: null,
      body: { capabilities: declarations },
    });
    this.#registry.load(declarations, overrides);
    this.#chronicle.advance({ type: "registry.ready" });
  }

  async #startPolicy(): Promise<void> {
    assert(this.#registry !== null, "the registry stands before the policy");
    const { configuration, permit = [] } = this.#options;
    this.#policy = await Policy.load({
      system: this.#system,
      configuration,
      manifests: this.#registry.manifests,
      permit,
      onFault: (reason) => this.#log({ level: "error", event: "policy.fault", reason }),
      onCrash: (reason) => this.#supervision.crash("policy", "FEMTO_POLICY_ERROR", reason),
    });
    this.#chronicle.record({ type: "policy.activated", session: null, execution: null, body: this.#policy.record });
    this.#policy.activate();
    this.#chronicle.advance({ type: "policy.ready" });
  }

  async #startObservability(): Promise<void> {
    this.#observability = new Observability({
      system: this.#system,
      exporter: this.#options.telemetry ?? null,
      reader: this.journal,
      stateDirectory: this.#options.configuration.stateDirectory,
      record: (entry) => this.#chronicle.record(entry),
      log: this.#log,
    });
    await this.#observability.start();
    this.#chronicle.advance({ type: "observability.ready" });
  }

  #openGate(): void {
    assert(this.#registry !== null && this.#policy !== null, "the gate opens last");
    this.#open = openGate({
      configuration: this.#options.configuration,
      clock: this.#clock,
      system: this.#system,
      registry: this.#registry,
      policy: this.#policy,
      confinement: this.#confinement,
      journal: this.journal,
      admission: () => this.#admission(),
    });
    this.#summary = setInterval(() => this.#recordOverloads(), OVERLOAD_SUMMARY_MS);
    this.#summary.unref();
  }

  // INVARIANT: I3: calls are taken in `idle` and `executing` alone; every other phase refuses them.
  #admission(): Problem | null {
    const { phase } = this.#system;
    if (phase === "idle" || phase === "executing") return null;
    return { code: "FEMTO_DRAINING", reason: `the runtime is in phase ${phase} and takes no calls` };
  }

  /** The root is `executing` while an intent has no outcome; it learns of both when they are durable. */
  #committed(records: readonly TypedRecord[]): void {
    for (const { type } of records) {
      if (type === "execution.intent") this.#executing += 1;
      else if (type === "execution.outcome") this.#executing -= 1;
      else continue;
      if (type === "execution.intent" && this.#executing === 1) this.#system.advance({ type: "execution.began" });
      if (type === "execution.outcome" && this.#executing === 0) this.#system.advance({ type: "execution.ended" });
    }
    this.#observability?.wake();
  }

  #recordOverloads(): void {
    const count = this.#open?.gate.takeOverloads() ?? 0;
    if (count === 0) return;
    const body = { count, code: "FEMTO_OVERLOADED" };
    this.#chronicle.record({ type: "overload.refused", session: null, execution: null, body });
  }

  #journalFailed(error: unknown): void {
    this.#system.send("memory", {
      type: "fail",
      fault: { code: "FEMTO_JOURNAL_WRITE_FAILED", reason: errorText(error) },
    } as { type: string });
    this.#fail({ code: "FEMTO_JOURNAL_WRITE_FAILED", reason: errorText(error) });
  }

  /** The root has moved to `error` by itself; what is left is to say so. */
  #lost(reason: string): void {
    if (this.#system.phase === "error") this.#fail({ code: "FEMTO_SUBSYSTEM_LOST", reason });
    else this.#log({ level: "warn", event: "subsystem.lost", reason });
  }

  #fail(fault: Fault): void {
    this.#fault ??= fault;
    this.#chronicle.advance({ type: "fault", fault });
    this.#open?.gate.stopAll(fault.reason);
    this.#failed.resolve(faultError(fault));
  }

  /** Start failed: what can still be recorded is, everything taken is given back. */
  async #abort(error: unknown): Promise<void> {
    const code = error instanceof FemtoError ? error.code : "FEMTO_INTERNAL";
    this.#fault ??= { code, reason: errorText(error) };
    this.#chronicle.advance({ type: "fault", fault: this.#fault });
    await this.#end();
  }

  async #close(drainMs: number): Promise<void> {
    this.#chronicle.advance({ type: "drain" });
    if (this.#open !== null) {
      const { gate } = this.#open;
      await settled(gate.idle(), drainMs);
      gate.stopAll("the runtime is shutting down");
      await settled(gate.idle(), 4 * LIMITS.graceMs);
    }
    this.#sessions.closeAll();
    this.#recordOverloads();
    this.#chronicle.advance({ type: "drained" });
    await this.#end();
  }

  async #end(): Promise<void> {
    if (this.#summary !== null) clearInterval(this.#summary);
    this.#supervision.stop();
    this.#chronicle.advance({ type: "shutdown" });
    await this.#chronicle.durable().catch(() => undefined);
    await this.#observability?.stop(TELEMETRY_FLUSH_MS);
    await this.#closeMemory();
    this.#system.advance({ type: "stopped" });
    this.#system.stop();
  }

  /** A snapshot at the end lets the next start fold nothing; a journal that failed is closed as it is. */
  async #closeMemory(): Promise<void> {
    if (this.#memory === null) return;
    const { journal } = this.#memory;
    try {
      await journal.snapshot();
    } catch (error) {
      this.#log({ level: "warn", event: "snapshot.failed", reason: errorText(error) });
    }
    this.#system.send("memory", { type: "close" });
    await journal.close();
    this.#system.send("memory", { type: "closed" });
  }
}

/** An operator acts for himself. */
function operatorActor(principal: string): RecordActor {
  return { principal, agent: null, channel: "operator", delegation: null };
}

function faultError({ code, reason }: Fault): FemtoError {
  return new FemtoError(code as FemtoError["code"], reason);
}

/**
 * Starts an execution authority: verifies, opens the journal, loads registry and policy, and takes calls
 * once all of them stand. Throws a `FemtoError` when one of them does not; nothing was executed then.
 */
export async function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  const runtime = new Runtime(options);
  await runtime.start();
  return runtime;
}
