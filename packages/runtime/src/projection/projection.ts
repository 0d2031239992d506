/**
 * The state of the runtime as a pure function of its records: fold any prefix of the journal and you
 * have the state of every actor at that moment. Snapshots, restart, replay and status all come from here.
 */
import assert from "node:assert/strict";
import { type Phase, phaseOf, type RegistryContext } from "@femtoclaw/machines";
import {
  type ActorSnapshot,
  errorText,
  type FemtoError,
  type LogParent,
  type RegisteredCapability,
  type TypedRecord,
} from "@femtoclaw/protocol";
import type { EventObject } from "xstate";
import { type Counters, counted, ZERO_COUNTERS } from "./counters.ts";
import { isFounding } from "./epoch-records.ts";
import { corrupt, type ExecutionRecord, eventsOf, type OpenExecution, requireOwnIntent } from "./execution-records.ts";
import { type ExecutionEventType, type ExecutionPoint, ExecutionTable } from "./execution-table.ts";
import { executionsHolder, HOST, type Holder, holderOf, SESSIONS, stateOf, TERMINALS, UPSTREAMS } from "./holders.ts";
import { movesNothing } from "./idle-records.ts";
import { MachineFold } from "./inert-scope.ts";
import { type FoldingMachine, LIVE_MACHINES, type MachineSet } from "./machine-set.ts";
import { answeredBy, askedBy, type OpenQuestion, questionsUnder, requireOwnQuestion } from "./open-questions.ts";
import { OpenTerminals } from "./open-terminals.ts";
import { requireOwnHistory, requireRunning, storedHistories } from "./own-history.ts";
import { isSamePhase, MACHINE_NAMES, type MachineName, STANDING } from "./phases.ts";
import { SessionHistories } from "./session-histories.ts";
import { Unresolved, type UnresolvedExecution } from "./unresolved.ts";
import { isOfUpstream, UpstreamPins } from "./upstream-pins.ts";

interface ExecutionsState {
  readonly open: Readonly<Record<string, OpenExecution>>;
  readonly counters: Counters;
  readonly unresolved: Readonly<Record<string, UnresolvedExecution>>;
  /** Absent while there are none, as in the states of versions that knew none. */
  readonly questions?: Readonly<Record<string, OpenQuestion>>;
}

interface HostState {
  /** The log that this one goes on from. */
  parent: LogParent | null;
  boot: string | null;
  boots: number;
  configuration: string | null;
  ended: "none" | "clean" | "crash";
  /** Executions of this boot that are between intent and outcome. */
  running: number;
}

export class Projection {
  #machines: MachineSet;
  #table: ExecutionTable;
  readonly #folds: Record<MachineName, MachineFold>;
  /** Those that have taken no event since the boot began; what operators switched before it. */
  readonly #fresh = new Set<MachineName>(MACHINE_NAMES);
  #overridesBefore: Readonly<Record<string, boolean>> = {};
  #open = new Map<string, OpenExecution>();
  #counters = ZERO_COUNTERS;
  #unresolved = new Unresolved();
  #sessions = new SessionHistories();
  #terminals = new OpenTerminals();
  #pins = new UpstreamPins();
  /** The oldest stands first. */
  #questions = new Map<string, OpenQuestion>();
  #host: HostState = { parent: null, boot: null, boots: 0, configuration: null, ended: "none", running: 0 };
  #size = 0;

  constructor(machines: MachineSet = LIVE_MACHINES) {
    this.#machines = machines;
    this.#table = ExecutionTable.of(machines.execution.logic);
    const folds = MACHINE_NAMES.map((name) => [name, this.#begun(name)]);
    this.#folds = Object.fromEntries(folds) as Record<MachineName, MachineFold>;
  }

  /** Goes on from a snapshot. Throws FEMTO_JOURNAL_FORMAT when its machines are not the given ones. */
  static restore(
    covers: number,
    actors: Readonly<Record<string, ActorSnapshot>>,
    machines: MachineSet = LIVE_MACHINES,
  ): Projection {
    const projection = new Projection(machines);
    for (const name of MACHINE_NAMES) {
      const state = stateOf(actors, name, holderOf(machines[name]));
      projection.#folds[name].restore(state as { value: unknown; context: unknown });
    }
    projection.#fresh.clear();
    const hasQuestions = (actors["executions"]?.state as ExecutionsState | undefined)?.questions !== undefined;
    const executions = structuredClone(
      stateOf(actors, "executions", executionsHolder(machines.execution, hasQuestions)),
    ) as ExecutionsState;
    projection.#open = new Map(Object.entries(executions.open));
    projection.#counters = executions.counters;
    projection.#unresolved = new Unresolved(Object.entries(executions.unresolved));
    projection.#sessions = storedHistories(actors);
    projection.#terminals = OpenTerminals.stored(actors);
    projection.#pins = UpstreamPins.stored(actors);
    projection.#questions = new Map(Object.entries(executions.questions ?? {}));
    projection.#host = structuredClone(stateOf(actors, "host", HOST)) as HostState;
    projection.#size = covers + 1;
    return projection;
  }

  /** Number of records folded; the next one must have this sequence number. */
  get size(): number {
    return this.#size;
  }

  get phase(): Phase {
    return phaseOf(this.#folds.lifecycle.value);
  }

  /** Whether this boot has come far enough to take calls, though it may have stopped since. */
  get #taking(): boolean {
    const { phase } = this.#folds.lifecycle.value as { readonly phase: unknown };
    return typeof phase === "string";
  }

  get host(): Readonly<HostState> {
    return this.#host;
  }

  get counters(): Counters {
    return this.#counters;
  }

  get open(): ReadonlyMap<string, OpenExecution> {
    return new Map(this.#open);
  }

  /** Interrupted executions of which no operator has said yet what became of them. */
  get unresolved(): ReadonlyMap<string, UnresolvedExecution> {
    return this.#unresolved.all;
  }

  /** What each session did, and what its principal is marked with. */
  get sessions(): SessionHistories {
    return this.#sessions;
  }

  /** Terminals on which something runs. */
  get terminals(): Pick<OpenTerminals, "open"> {
    return this.#terminals;
  }

  /** What was accepted of MCP servers. */
  get pins(): Pick<UpstreamPins, "of"> {
    return this.#pins;
  }

  /** Calls that wait for operators, or whose answer has not led to the next record yet. */
  get questions(): ReadonlyMap<string, OpenQuestion> {
    return new Map(this.#questions);
  }

  get capabilities(): readonly RegisteredCapability[] {
    return Object.values((this.#folds.registry.context as RegistryContext).capabilities);
  }

  /** What operators switched by hand, by capability name. */
  get overrides(): Readonly<Record<string, boolean>> {
    return (this.#folds.registry.context as RegistryContext).overrides;
  }

  /** Value and context of a subsystem's machine. */
  machine(name: MachineName): { readonly value: unknown; readonly context: unknown } {
    return this.#folds[name].state;
  }

  /** The state of every actor, as the journal's snapshots hold it. */
  snapshot(): Record<string, ActorSnapshot> {
    const machines = MACHINE_NAMES.map((name) => {
      return [name, { ...holderOf(this.#machines[name]), state: { ...this.#folds[name].state } }];
    });
    const executions: ExecutionsState = {
      open: Object.fromEntries(this.#open),
      counters: this.#counters,
      unresolved: Object.fromEntries(this.#unresolved.all),
      ...(this.#questions.size === 0 ? {} : { questions: Object.fromEntries(this.#questions) }),
    };
    return {
      ...(Object.fromEntries(machines) as Record<string, ActorSnapshot>),
      executions: { ...executionsHolder(this.#machines.execution, this.#questions.size > 0), state: { ...executions } },
      host: { ...HOST, state: { ...this.#host } },
      ...(this.#sessions.isEmpty ? {} : { sessions: { ...SESSIONS, state: { ...this.#sessions.state } } }),
      ...(this.#terminals.open.size === 0 ? {} : { terminals: { ...TERMINALS, state: { ...this.#terminals.state } } }),
      ...(this.#pins.isEmpty ? {} : { upstreams: { ...UPSTREAMS, state: { ...this.#pins.state } } }),
    };
  }

  /** What holds each state that a snapshot may have, those that this one would not have included. */
  get holders(): Readonly<Record<string, Holder>> {
    return { ...this.snapshot(), sessions: SESSIONS, terminals: TERMINALS, upstreams: UPSTREAMS };
  }

  /**
   * Lets another version of a machine go on with what the one before it left: with value and context, or from
   * the beginning where nothing has happened since the boot. Throws FEMTO_JOURNAL_CORRUPT where that is no
   * state of the new version. `record` is the one that names it, and is folded next.
   */
  takeOver(record: TypedRecord, machine: FoldingMachine): void {
    const { id } = machine.identity;
    const before = this.#machines[id].identity;
    const cannot = (reason: string): FemtoError =>
      corrupt(
        record,
        `${id} version ${machine.identity.version} cannot go on from version ${before.version}: ${reason}`,
      );
    this.#machines = { ...this.#machines, [id]: machine };
    if (id === "execution") {
      this.#table = ExecutionTable.of(machine.logic);
      const stray = [...this.#open, ...this.#questions].find(([, { at }]) => !this.#table.has(at));
      if (stray !== undefined) throw cannot(`it has no state ${stray[1].at.state}, in which execution ${stray[0]} is`);
    } else if (this.#fresh.has(id)) {
      this.#folds[id] = this.#begun(id);
    } else if (record.type !== "boot.started") {
      const fold = new MachineFold(machine.logic);
      try {
        fold.restore(this.#folds[id].state);
      } catch (error) {
        throw cannot(errorText(error));
      }
      this.#folds[id] = fold;
    }
  }

  // INVARIANT: I6: nothing but the record decides the next state; no clock, no randomness, no I/O.
  apply(record: TypedRecord): void {
    if (record.seq !== this.#size) throw corrupt(record, `expected sequence number ${this.#size}`);
    // The record that names the log stands before the first boot, and nowhere else.
    const isFirst = record.type === "log.created";
    if (isFirst !== (record.seq === 0)) throw corrupt(record, "a log begins with log.created alone");
    const isOutsideOfBoots = isFirst || isFounding(record, this.#host);
    if (!isOutsideOfBoots && (record.type === "boot.started") === (record.boot === this.#host.boot)) {
      throw corrupt(record, `it claims boot ${record.boot} where the boot is ${this.#host.boot}`);
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
        this.#send(record, "registry", { type: "load" });
        for (const capability of record.body.capabilities) {
          this.#folds.registry.send({ type: "declare", capability } as EventObject);
        }
        return this.#send(record, "registry", { type: "loaded" });
      case "capability.enabled":
        return this.#send(record, "registry", { type: "enable", name: record.body.name } as EventObject);
      case "capability.disabled":
        return this.#send(record, "registry", { type: "disable", name: record.body.name } as EventObject);
      case "policy.activated":
        this.#send(record, "policy", { type: "propose", revision: record.body.revision } as EventObject);
        return this.#send(record, "policy", { type: "activate" });
      case "policy.rejected":
        return this.#policyRejected(record);
      case "observability.started":
      case "observability.changed":
        return this.#observability(record);
      case "supervision.crashed":
        return this.#crashed(record);
      case "supervision.restarted":
        return this.#send(record, "lifecycle", {
          type: "subsystem.restart",
          subsystem: record.body.subsystem,
        } as EventObject);
      case "overload.refused":
        return this.#count("overloaded", record.body.count);
      case "memory.changed":
        return this.#send(record, "memory", { type: record.body.state === "full" ? "exhausted" : "relieved" });
      case "log.created":
        this.#host.parent = record.body.parent ?? null;
        return;
      case "epoch.opened":
        return this.#epoch(record);
      case "execution.inherited":
        return this.#inherited(record);
      case "terminal.opened":
      case "terminal.recorded":
      case "terminal.closed":
        if (record.type === "terminal.opened" && !this.#taking) throw corrupt(record, "no call was taken yet");
        return this.#terminals.apply(record);
      case "execution.hop":
        return requireRunning(record, this.#open.get(record.execution ?? ""));
      case "execution.resolved":
        return this.#unresolved.resolve(record);
      default:
        return this.#execution(record);
    }
  }

  /** Only what operators had forbidden goes over: what they had granted was granted in the old log. */
  #epoch({ body }: TypedRecord & { type: "epoch.opened" }): void {
    this.#overridesBefore = Object.fromEntries(body.disabled.map((name) => [name, false]));
    this.#folds.registry = this.#begun("registry");
  }

  #inherited(record: TypedRecord & { type: "execution.inherited" }): void {
    const { execution, seq, session, body } = record;
    if (execution === null || this.#unresolved.all.has(execution)) throw corrupt(record, "it names no other execution");
    this.#unresolved.add(execution, { seq, tool: body.tool, session });
  }

  #policyRejected(record: TypedRecord & { type: "policy.rejected" }): void {
    const { revision, code, reason } = record.body;
    // What has no revision never was a candidate to the machine.
    if (revision === null) return;
    this.#send(record, "policy", { type: "propose", revision } as EventObject);
    this.#send(record, "policy", { type: "reject", fault: { code, reason } } as EventObject);
  }

  #boot(record: TypedRecord & { type: "boot.started" }): void {
    const { previous_boot, previous_end, configuration, approvals } = record.body;
    const last = this.#host;
    const changed = last.configuration !== null && last.configuration !== configuration.sha256;
    if (previous_boot !== last.boot || previous_end !== last.ended || configuration.changed !== changed) {
      throw corrupt(record, `it contradicts how boot ${last.boot} ended (${last.ended})`);
    }
    this.#overridesBefore = this.overrides;
    this.#host = {
      parent: last.parent,
      boot: record.boot,
      boots: last.boots + 1,
      configuration: configuration.sha256,
      ended: "crash",
      running: 0,
    };
    for (const name of MACHINE_NAMES) {
      this.#folds[name] = this.#begun(name);
      this.#fresh.add(name);
    }
    this.#questions = questionsUnder(approvals, this.#questions);
  }

  /** A machine as a boot begins it: the journal stands before there is a record of the boot. */
  #begun(name: MachineName): MachineFold {
    const input = name === "registry" ? { overrides: this.#overridesBefore } : undefined;
    const fold = new MachineFold(this.#machines[name].logic, input);
    if (name !== "memory" || this.#host.boot === null) return fold;
    for (const type of ["open", "opened", "verified"]) assert(fold.send({ type }), `the memory machine takes ${type}`);
    return fold;
  }

  #lifecycle(record: TypedRecord & { type: "lifecycle.changed" }): void {
    const { event, from, to, fault } = record.body;
    if (!isSamePhase(this.phase, from)) throw corrupt(record, `the runtime was ${this.phase}, not ${from}`);
    this.#requireStanding(record, event);
    this.#send(record, "lifecycle", { type: event, ...(fault === undefined ? {} : { fault }) } as EventObject);
    if (this.phase !== to) throw corrupt(record, `the runtime would be ${this.phase}, not ${to}`);
    if (to === "shuttingDown") this.#host.ended = "clean";
  }

  /** A phase is left only when what it waits for is there; the first of them for the end of every open execution. */
  #requireStanding(record: TypedRecord, event: string): void {
    const standing = STANDING[event];
    if (standing === undefined) return;
    const { value } = this.#folds[standing.machine];
    if (!standing.states.includes(String(value))) throw corrupt(record, `${standing.machine} is ${String(value)}`);
    const [open] = this.#open.keys();
    if (open !== undefined) throw corrupt(record, `execution ${open} of an earlier boot is still open`);
    const [terminal] = this.#terminals.open.keys();
    if (terminal !== undefined) throw corrupt(record, `terminal ${terminal} of an earlier boot is still open`);
  }

  #observability(record: TypedRecord & { type: "observability.started" | "observability.changed" }): void {
    const { state, reason } = record.body;
    const works = record.type === "observability.started" ? "started" : "recovered";
    const event = state === "degraded" ? { type: "degraded", reason: reason ?? "" } : { type: works };
    this.#send(record, "observability", event as EventObject);
  }

  #crashed(record: TypedRecord & { type: "supervision.crashed" }): void {
    const { subsystem, code, reason, at_ms, decision } = record.body;
    const error = { code, reason, atMs: at_ms };
    this.#send(record, "lifecycle", { type: `xstate.error.actor.${subsystem}`, error } as EventObject);
    const isLost = (this.#folds.lifecycle.value as Record<string, unknown>)[subsystem] === "lost";
    if (isLost !== (decision === "give-up")) throw corrupt(record, `its decision is not ${decision}`);
  }

  #execution(record: ExecutionRecord): void {
    const id = record.execution;
    if (id === null) throw corrupt(record, "it names no execution");
    const known = this.#open.get(id);
    const question = this.#questions.get(id);
    if (!this.#taking && record.type !== "execution.interrupted") throw corrupt(record, "no call was taken yet");
    const ends = record.type === "execution.outcome" || record.type === "execution.interrupted";
    if (ends !== (known !== undefined)) {
      throw corrupt(record, known === undefined ? "it has no intent" : "its execution is already open");
    }
    if (ends && known !== undefined) requireOwnIntent(record, known);
    const from = known?.at ?? question?.at ?? this.#table.initial;
    const at = this.#walk(record, from, eventsOf(record, from.state));
    switch (record.type) {
      case "message.recorded":
        return this.#count("messages");
      case "approval.asked":
        this.#questions.set(id, askedBy(record, at));
        return;
      case "approval.answered":
        if (question === undefined) throw corrupt(record, "its execution has no open question");
        this.#questions.set(id, answeredBy(record, question, at));
        return;
      case "execution.refused":
        requireOwnQuestion(record, question);
        this.#questions.delete(id);
        return this.#count("refused");
      case "execution.intent": {
        requireOwnQuestion(record, question);
        this.#questions.delete(id);
        const { seq: intent, session, boot } = record;
        this.#open.set(id, { intent, tool: record.body.tool, session, boot, at });
        return this.#running(1);
      }
      case "execution.outcome":
        this.#open.delete(id);
        this.#count(at.state === "completed" ? "completed" : "failed");
        return this.#running(-1);
      case "execution.interrupted":
        this.#open.delete(id);
        this.#unresolved.add(id, { seq: record.seq, tool: record.body.tool, session: record.session });
        return this.#count("interrupted");
      default:
        record satisfies never;
    }
  }

  #walk(record: TypedRecord, from: ExecutionPoint, events: readonly ExecutionEventType[]): ExecutionPoint {
    let at = from;
    for (const type of events) {
      const next = this.#table.next(at, type);
      if (next === undefined) throw corrupt(record, `\`${type}\` is not possible in state ${at.state}`);
      at = next;
    }
    return at;
  }

  /** The lifecycle is `executing` while at least one permitted execution is between intent and outcome. */
  #running(change: 1 | -1): void {
    const before = this.#host.running;
    this.#host.running = before + change;
    if (before === 0) this.#folds.lifecycle.send({ type: "execution.began" });
    else if (this.#host.running === 0) this.#folds.lifecycle.send({ type: "execution.ended" });
  }

  #count(name: keyof Counters, count?: number): void {
    this.#counters = counted(this.#counters, name, count);
  }

  #send(record: TypedRecord, name: MachineName, event: EventObject): void {
    this.#fresh.delete(name);
    if (!this.#folds[name].send(event)) {
      throw corrupt(
        record,
        `\`${event.type}\` is not possible for ${name} in state ${JSON.stringify(this.#folds[name].value)}`,
      );
    }
  }
}
