/**
 * The state of the runtime as a pure function of its records: folding any prefix of the journal yields the state of
 * every actor at that moment. Snapshots, restart, replay and status all use this.
 */
import type { Phase } from "@femtoclaw/machines";
import {
  type ActorSnapshot,
  errorText,
  FemtoError,
  type RegisteredCapability,
  type TypedRecord,
} from "@femtoclaw/protocol";
import type { EventObject } from "xstate";
import { Boots, type HostState } from "./boots.ts";
import { corrupt, type ExecutionRecord, type OpenExecution } from "./execution-records.ts";
import { type Counters, Executions } from "./executions.ts";
import { HOST, type Holder, SESSIONS, TERMINALS, UPSTREAMS } from "./holders.ts";
import { movesNothing } from "./idle-records.ts";
import { type FoldingMachine, LIVE_MACHINES, type MachineSet } from "./machine-set.ts";
import type { OpenQuestion } from "./open-questions.ts";
import { OpenTerminals } from "./open-terminals.ts";
import { requireOwnHistory, storedHistories } from "./own-history.ts";
import { isSamePhase, type MachineName, READY_STATES } from "./phases.ts";
import { SessionHistories } from "./session-histories.ts";
import { SubsystemFolds } from "./subsystem-folds.ts";
import type { UnresolvedExecution } from "./unresolved.ts";
import { isOfUpstream, UpstreamPins } from "./upstream-pins.ts";

/**
 * The folded state after some number of records. `replay` makes one, and `Runtime.projection` is that of the newest
 * record.
 */
export class Projection {
  #machines: MachineSet;
  #subsystems: SubsystemFolds;
  #executions: Executions;
  #sessions = new SessionHistories();
  #terminals = new OpenTerminals();
  #pins = new UpstreamPins();
  #boots = new Boots();
  #size = 0;

  constructor(machines: MachineSet = LIVE_MACHINES) {
    this.#machines = machines;
    this.#subsystems = new SubsystemFolds(machines);
    this.#executions = new Executions(machines.execution);
  }

  /**
   * Continues from a snapshot. Throws FEMTO_JOURNAL_FORMAT if the snapshot's machines are not the given ones, and
   * FEMTO_JOURNAL_CORRUPT if it holds a state that its actor cannot be in.
   */
  static restore(
    covers: number,
    actors: Readonly<Record<string, ActorSnapshot>>,
    machines: MachineSet = LIVE_MACHINES,
  ): Projection {
    try {
      return Projection.#restored(covers, actors, machines);
    } catch (error) {
      if (error instanceof FemtoError) throw error;
      const reason = `the snapshot after record ${covers} holds a state that no actor can be in: ${errorText(error)}`;
      throw new FemtoError("FEMTO_JOURNAL_CORRUPT", reason, { cause: error });
    }
  }

  static #restored(covers: number, actors: Readonly<Record<string, ActorSnapshot>>, machines: MachineSet): Projection {
    const projection = new Projection(machines);
    projection.#subsystems = SubsystemFolds.stored(actors, machines);
    projection.#executions = Executions.stored(actors, machines.execution);
    projection.#sessions = storedHistories(actors);
    projection.#terminals = OpenTerminals.stored(actors);
    projection.#pins = UpstreamPins.stored(actors);
    projection.#boots = Boots.stored(actors);
    projection.#size = covers + 1;
    return projection;
  }

  /** Number of folded records; the next record must have this sequence number. */
  get size(): number {
    return this.#size;
  }

  /** State of the lifecycle machine. */
  get phase(): Phase {
    return this.#subsystems.phase;
  }

  /** Boots of the log, and how the last one ended. */
  get host(): Readonly<HostState> {
    return this.#boots.state;
  }

  /** How executions ended, over the whole log. */
  get counters(): Counters {
    return this.#executions.counters;
  }

  /** Executions between intent and outcome, by identifier. */
  get open(): ReadonlyMap<string, OpenExecution> {
    return new Map(this.#executions.open);
  }

  /** Interrupted executions for which no operator has said yet what became of them. */
  get unresolved(): ReadonlyMap<string, UnresolvedExecution> {
    return this.#executions.unresolved;
  }

  /** What each session did, and the marks of each principal. */
  get sessions(): SessionHistories {
    return this.#sessions;
  }

  /** Terminals on which a program runs. */
  get terminals(): Pick<OpenTerminals, "open"> {
    return this.#terminals;
  }

  /** What was accepted of MCP servers. */
  get pins(): Pick<UpstreamPins, "of"> {
    return this.#pins;
  }

  /** Calls that wait for operators, or whose answer has not led to the next record yet. */
  get questions(): ReadonlyMap<string, OpenQuestion> {
    return new Map(this.#executions.questions);
  }

  /** Registered capabilities, whether each is enabled, and who decided that. */
  get capabilities(): readonly RegisteredCapability[] {
    return Object.values(this.#subsystems.registry.capabilities);
  }

  /** What operators enabled or disabled by hand, by capability name. */
  get overrides(): Readonly<Record<string, boolean>> {
    return this.#subsystems.registry.overrides;
  }

  /** Value and context of a subsystem's machine. */
  machine(name: MachineName): { readonly value: unknown; readonly context: unknown } {
    return this.#subsystems.state(name);
  }

  /** The state of every actor, as the journal's snapshots hold it. */
  snapshot(): Record<string, ActorSnapshot> {
    return {
      ...this.#subsystems.snapshot(),
      executions: this.#executions.snapshot(),
      host: { ...HOST, state: { ...this.#boots.state } },
      ...(this.#sessions.isEmpty ? {} : { sessions: { ...SESSIONS, state: { ...this.#sessions.state } } }),
      ...(this.#terminals.open.size === 0 ? {} : { terminals: { ...TERMINALS, state: { ...this.#terminals.state } } }),
      ...(this.#pins.isEmpty ? {} : { upstreams: { ...UPSTREAMS, state: { ...this.#pins.state } } }),
    };
  }

  /** The holder of each state that a snapshot may have, including states that this snapshot would omit. */
  get holders(): Readonly<Record<string, Holder>> {
    return { ...this.snapshot(), sessions: SESSIONS, terminals: TERMINALS, upstreams: UPSTREAMS };
  }

  /**
   * Lets another version of a machine continue from what the previous version left: with its value and context, or from
   * the beginning if nothing has happened since the boot. Throws FEMTO_JOURNAL_CORRUPT if that is not a state of the
   * new version. `record` is the one that names the version, and is folded next.
   */
  takeOver(record: TypedRecord, machine: FoldingMachine): void {
    const { id } = machine.identity;
    const before = this.#machines[id].identity;
    this.#machines = { ...this.#machines, [id]: machine };
    const fault =
      id === "execution" ? this.#executions.goOnWith(machine) : this.#subsystems.goOnWith(record, id, machine);
    if (fault === null) return;
    throw corrupt(
      record,
      `${id} version ${machine.identity.version} cannot continue from version ${before.version}: ${fault}`,
    );
  }

  /** Folds the next record. Throws FEMTO_JOURNAL_CORRUPT if it does not follow from those before. */
  apply(record: TypedRecord): void {
    try {
      this.#fold(record);
    } catch (error) {
      if (error instanceof FemtoError) throw error;
      // The states of a snapshot have no schema. If one of them is not what its actor makes, it shows only here.
      throw corrupt(record, `it cannot follow from the states before it: ${errorText(error)}`, error);
    }
  }

  // INVARIANT: I6: nothing but the record decides the next state; no clock, no randomness, no I/O.
  #fold(record: TypedRecord): void {
    if (record.seq !== this.#size) throw corrupt(record, `expected sequence number ${this.#size}`);
    // The record that names the log stands before the first boot, and nowhere else.
    const isFirst = record.type === "log.created";
    if (isFirst !== (record.seq === 0)) throw corrupt(record, "a log begins with log.created alone");
    const isOutsideOfBoots = isFirst || this.#boots.isFounding(record);
    if (!isOutsideOfBoots && (record.type === "boot.started") === (record.boot === this.host.boot)) {
      throw corrupt(record, `it claims boot ${record.boot} where the boot is ${this.host.boot}`);
    }
    this.#size += 1;
    if (record.type === "execution.intent") requireOwnHistory(record, this.#sessions);
    this.#sessions.apply(record);
    if (isOfUpstream(record)) return this.#pins.apply(record);
    if (movesNothing(record)) return;
    switch (record.type) {
      case "boot.started":
        return this.#boot(record);
      case "lifecycle.changed":
        return this.#lifecycle(record);
      case "registry.loaded":
        return this.#subsystems.load(record);
      case "capability.enabled":
        return this.#subsystems.send(record, "registry", { type: "enable", name: record.body.name } as EventObject);
      case "capability.disabled":
        return this.#subsystems.send(record, "registry", { type: "disable", name: record.body.name } as EventObject);
      case "policy.activated":
        this.#subsystems.send(record, "policy", { type: "propose", revision: record.body.revision } as EventObject);
        return this.#subsystems.send(record, "policy", { type: "activate" });
      case "policy.rejected":
        return this.#subsystems.reject(record);
      case "observability.started":
      case "observability.changed":
        return this.#subsystems.observe(record);
      case "supervision.crashed":
        return this.#subsystems.crash(record);
      case "supervision.restarted":
        return this.#subsystems.send(record, "lifecycle", {
          type: "subsystem.restart",
          subsystem: record.body.subsystem,
        } as EventObject);
      case "overload.refused":
        return this.#executions.count("overloaded", record.body.count);
      case "memory.changed":
        return this.#subsystems.send(record, "memory", {
          type: record.body.state === "full" ? "exhausted" : "relieved",
        });
      case "log.created":
        return this.#boots.found(record.body.parent ?? null);
      case "epoch.opened":
        return this.#subsystems.epoch(record.body.disabled);
      case "execution.inherited":
        return this.#executions.inherit(record);
      case "terminal.opened":
      case "terminal.recorded":
      case "terminal.closed":
        if (record.type === "terminal.opened" && !this.#subsystems.isTaking)
          throw corrupt(record, "no call was taken yet");
        return this.#terminals.apply(record);
      case "execution.hop":
        return this.#executions.hop(record);
      case "execution.resolved":
        return this.#executions.resolve(record);
      default:
        return this.#execution(record);
    }
  }

  #boot(record: TypedRecord & { type: "boot.started" }): void {
    this.#boots.start(record);
    this.#subsystems.boot();
    this.#executions.boot(record.body.approvals);
  }

  #lifecycle(record: TypedRecord & { type: "lifecycle.changed" }): void {
    const { event, from, to, fault } = record.body;
    if (!isSamePhase(this.phase, from)) throw corrupt(record, `the runtime was ${this.phase}, not ${from}`);
    this.#requireReady(record, event);
    this.#subsystems.send(record, "lifecycle", {
      type: event,
      ...(fault === undefined ? {} : { fault }),
    } as EventObject);
    if (this.phase !== to) throw corrupt(record, `the runtime would be ${this.phase}, not ${to}`);
    if (to === "shuttingDown") this.#boots.end();
  }

  /**
   * A phase ends only when what it waits for is there. The first such phase also waits until every execution and
   * terminal left open has ended.
   */
  #requireReady(record: TypedRecord, event: string): void {
    const ready = READY_STATES.get(event);
    if (ready === undefined) return;
    const { value } = this.#subsystems.state(ready.machine);
    if (!ready.states.includes(String(value))) throw corrupt(record, `${ready.machine} is ${String(value)}`);
    const [open] = this.#executions.open.keys();
    if (open !== undefined) throw corrupt(record, `execution ${open} of an earlier boot is still open`);
    const [terminal] = this.#terminals.open.keys();
    if (terminal !== undefined) throw corrupt(record, `terminal ${terminal} of an earlier boot is still open`);
  }

  #execution(record: ExecutionRecord): void {
    if (!this.#subsystems.isTaking && record.type !== "execution.interrupted")
      throw corrupt(record, "no call was taken yet");
    // The lifecycle is `executing` while at least one permitted execution is between intent and outcome.
    const event = this.#boots.run(this.#executions.apply(record));
    if (event !== null) this.#subsystems.tell("lifecycle", { type: event });
  }
}
