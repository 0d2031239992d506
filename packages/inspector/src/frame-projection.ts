/**
 * Records to frames, as a pure projection: the same records give the same frames in the browser, in an exported
 * file and in a test. It follows the charts, and a record that no chart can follow is a fault and no guess.
 */
import { recordedEvents } from "@femtoclaw/machines/recorded-events";
import type { TypedRecord } from "@femtoclaw/protocol";
import type { ErrorType } from "@femtoclaw/protocol/types";
import { type Chart, transitionOf } from "./chart.ts";
import {
  type Frame,
  FrameBatch,
  type FrameSnapshot,
  MACHINE_NAMES,
  type MachineName,
  type OpenActor,
  type Region,
  type SubsystemName,
  type Summary,
  type Transition,
} from "./frames.ts";
import { type ExecutionRecord, subsystemEvents } from "./record-events.ts";

/** What cannot be followed: a recording that is damaged or forged, or one of another version. */
export class InspectionFault extends Error {}

interface Machine {
  chart: Chart;
  value: string;
}

interface OpenExecution extends Omit<OpenActor, "state" | "category" | "interrupted" | "execution"> {
  value: string;
  category: ErrorType | null;
}

export class FrameProjection {
  readonly #charts: readonly Chart[];
  readonly #machines: Map<MachineName, Machine>;
  #execution: Chart;
  #regions: Record<SubsystemName, Region> = { memory: "up", registry: "up", policy: "up", observability: "up" };
  readonly #open = new Map<string, OpenExecution>();
  readonly #unresolved = new Map<string, OpenActor>();
  readonly #counters: Record<string, number>;
  #size = 0;
  #boot: string | null = null;
  #boots = 0;
  #running = 0;

  /** Goes on from a summary; from the first record without one. */
  constructor(charts: readonly Chart[], summary: Summary | null) {
    this.#charts = charts;
    this.#machines = new Map(MACHINE_NAMES.map((name) => [name, begun(this.#newest(name))]));
    this.#execution = this.#newest("execution");
    this.#counters = { ...NO_COUNTS, ...summary?.counters };
    if (summary === null) return;
    this.#size = summary.size;
    this.#boot = summary.boot;
    this.#boots = summary.boots;
    this.#running = summary.running;
    this.#regions = { ...summary.regions };
    for (const name of MACHINE_NAMES) {
      const { value, sha256 } = summary.machines[name];
      this.#machines.set(name, { chart: this.#chart(sha256, name), value });
    }
    for (const actor of summary.actors) {
      const { execution, tool, session, seq, state: value, category } = actor;
      if (actor.interrupted) this.#unresolved.set(execution, actor);
      else this.#open.set(execution, { tool, session, seq, value, category });
    }
  }

  /** The state after the last record, for somebody who begins here. */
  summary(): Summary {
    const opened = [...this.#open].map(([execution, { value, ...open }]): OpenActor => {
      return { execution, ...open, state: value, interrupted: false };
    });
    return {
      size: this.#size,
      boot: this.#boot,
      boots: this.#boots,
      running: this.#running,
      machines: Object.fromEntries(MACHINE_NAMES.map((name) => [name, this.machine(name)])) as Summary["machines"],
      regions: this.#regions,
      actors: [...this.#unresolved.values(), ...opened],
      counters: { ...this.#counters },
    };
  }

  /** The number of the record that comes next. */
  get size(): number {
    return this.#size;
  }

  get boot(): string | null {
    return this.#boot;
  }

  get boots(): number {
    return this.#boots;
  }

  get regions(): Readonly<Record<SubsystemName, Region>> {
    return this.#regions;
  }

  machine(name: MachineName): { readonly value: string; readonly sha256: string } {
    const { chart, value } = this.#of(name);
    return { value, sha256: chart.sha256 };
  }

  /** Throws InspectionFault, after which nothing more can be followed. */
  apply(record: TypedRecord): readonly Frame[] {
    if (record.seq !== this.#size) {
      throw new InspectionFault(`record ${record.seq} stands where record ${this.#size} should`);
    }
    this.#size += 1;
    const batch = new FrameBatch(record);
    this.#follow(record, batch);
    return batch.frames;
  }

  #follow(record: TypedRecord, batch: FrameBatch): void {
    this.#meet(record);
    switch (record.type) {
      case "boot.started":
        return this.#begin(record, batch);
      case "lifecycle.changed":
        return this.#send(record, batch, "lifecycle", [record.body.event]);
      case "supervision.crashed":
        return this.#crashed(record, batch);
      case "supervision.restarted":
        this.#regions = { ...this.#regions, [record.body.subsystem]: "up" };
        return;
      case "epoch.opened":
        this.#machines.set("registry", begun(this.#of("registry").chart));
        return;
      case "execution.inherited":
        return this.#inherited(record, batch);
      case "overload.refused":
        return this.#count("overloaded", record.body.count);
      case "execution.resolved":
        this.#unresolved.delete(record.execution ?? "");
        return;
      case "message.recorded":
      case "approval.asked":
      case "approval.answered":
      case "execution.refused":
      case "execution.intent":
      case "execution.outcome":
      case "execution.interrupted":
        return this.#executed(record, batch);
      default: {
        const about = subsystemEvents(record);
        if (about !== null) this.#send(record, batch, about.machine, about.events);
      }
    }
  }

  /** A record names the very machine that folds it. */
  #meet({ machine }: TypedRecord): void {
    const { id, sha256 } = machine;
    if (id === "execution") this.#execution = this.#chart(sha256, id);
    else this.#of(id).chart = this.#chart(sha256, id);
  }

  #begin(record: TypedRecord & { type: "boot.started" }, batch: FrameBatch): void {
    this.#boot = record.boot;
    this.#boots += 1;
    this.#running = 0;
    this.#regions = { memory: "up", registry: "up", policy: "up", observability: "up" };
    for (const name of MACHINE_NAMES) {
      const machine = begun(this.#of(name).chart);
      // The journal stands before there is a record of the boot.
      if (name === "memory") machine.value = "ready";
      this.#machines.set(name, machine);
      const parentId = name === "lifecycle" ? null : `${record.boot}/lifecycle`;
      const { chart, value } = machine;
      const snapshot = { status: "active", value } as const;
      batch.add(name, { type: "@xstate.actor", name, parentId, definitionRef: chart.sha256, snapshot });
    }
  }

  #crashed(record: TypedRecord & { type: "supervision.crashed" }, batch: FrameBatch): void {
    const { subsystem, decision } = record.body;
    this.#regions = { ...this.#regions, [subsystem]: decision === "restart" ? "backoff" : "lost" };
    if (decision === "give-up" && subsystem !== "observability") this.#send(record, batch, "lifecycle", ["fault"]);
    const machine = this.#machines.get(subsystem);
    if (machine !== undefined) this.#say(batch, subsystem, machine.value, "error", `xstate.error.actor.${subsystem}`);
  }

  #send(record: TypedRecord, batch: FrameBatch, name: MachineName, events: readonly string[]): void {
    const machine = this.#of(name);
    // A candidate that is rejected leaves what was in force, if there was something.
    const wasActive = machine.value === "active";
    const via: Transition[] = [];
    for (const event of events) {
      const taken = transitionOf(machine.chart, machine.value, event, (guard) => guard !== "hasActive" || wasActive);
      if (taken === undefined) throw impossible(record, name, event, machine.value);
      const step = { from: taken[0], event, to: taken[0] === taken[2] ? machine.value : taken[2] };
      machine.value = step.to;
      via.push(step);
      batch.add(name, { type: "@xstate.event", event: { type: event }, sourceId: null, via: step });
    }
    const last = events.at(-1) ?? "";
    const snapshot = { status: "active", value: machine.value } as const;
    batch.add(name, { type: "@xstate.snapshot", event: { type: last }, snapshot, via });
  }

  #say(batch: FrameBatch, actor: string, value: string, status: FrameSnapshot["status"], event: string): void {
    batch.add(actor, { type: "@xstate.snapshot", event: { type: event }, snapshot: { status, value }, via: [] });
  }

  #executed(record: ExecutionRecord, batch: FrameBatch): void {
    const id = record.execution;
    if (id === null) throw new InspectionFault(`record ${record.seq} names no execution`);
    const chart = this.#execution;
    const known = this.#open.get(id);
    const ends = record.type === "execution.outcome" || record.type === "execution.interrupted";
    if (ends && known === undefined) throw new InspectionFault(`record ${record.seq} ends what has not begun`);
    const { session, seq } = record;
    const tool = toolOf(record);
    const point = known ?? { tool, session, seq, value: chart.initial, category: null };
    if (known === undefined) {
      const snapshot = snapshotOf(point);
      const parentId = `${record.boot}/executions`;
      const actor = { name: tool, parentId, definitionRef: chart.sha256, snapshot };
      batch.add(id, { type: "@xstate.actor", ...actor });
    }
    const via: Transition[] = [];
    const events = recordedEvents(record, point.value);
    const category = categoryOf(record);
    for (const event of events) {
      const taken = transitionOf(chart, point.value, event, () => point.category !== null);
      if (taken === undefined) throw impossible(record, id, event, point.value);
      const [from, , to] = taken;
      point.value = to;
      if (to === "memoryCommitting" || to === "error") point.category ??= category;
      const step = { from, event, to };
      via.push(step);
      batch.add(id, { type: "@xstate.event", event: { type: event }, sourceId: record.session, via: step });
    }
    const snapshot = snapshotOf(point);
    batch.add(id, { type: "@xstate.snapshot", event: { type: events.at(-1) ?? "" }, snapshot, via });
    const standing = record.type === "approval.answered" ? point.seq : seq;
    if (snapshot.status === "active") this.#open.set(id, { ...point, seq: standing });
    else this.#ended(record, id, point);
    if (record.type === "execution.intent") this.#run(record, batch, 1);
    if (record.type === "execution.outcome") this.#run(record, batch, -1);
  }

  #ended(record: ExecutionRecord, execution: string, { value: state, category, tool, session }: OpenExecution): void {
    this.#open.delete(execution);
    const counter = COUNTERS[record.type] ?? (state === "completed" ? "completed" : "failed");
    this.#count(counter, 1);
    if (record.type !== "execution.interrupted") return;
    const { seq } = record;
    this.#unresolved.set(execution, { execution, tool, session, seq, state, category, interrupted: true });
  }

  /** What the log before this one left open. */
  #inherited(record: TypedRecord & { type: "execution.inherited" }, batch: FrameBatch): void {
    const { seq, session, boot } = record;
    const { tool } = record.body;
    const execution = record.execution ?? "";
    const value = { state: "error", category: "RuntimeError" } as const;
    this.#unresolved.set(execution, { execution, tool, session, seq, ...value, interrupted: true });
    const snapshot = { status: "error", value: "error", context: { category: "RuntimeError" } } as const;
    const actor = { name: tool, parentId: `${boot}/executions`, definitionRef: this.#execution.sha256, snapshot };
    batch.add(execution, { type: "@xstate.actor", ...actor });
    batch.add(execution, { type: "@xstate.snapshot", event: { type: "recovered" }, snapshot, via: [] });
  }

  #count(counter: string, more: number): void {
    this.#counters[counter] = (this.#counters[counter] ?? 0) + more;
  }

  /** The lifecycle is `executing` while a permitted execution is between intent and outcome. */
  #run(record: TypedRecord, batch: FrameBatch, change: 1 | -1): void {
    const before = this.#running;
    this.#running += change;
    const event = before === 0 ? "execution.began" : this.#running === 0 ? "execution.ended" : null;
    const { chart, value } = this.#of("lifecycle");
    if (event === null || transitionOf(chart, value, event, () => false) === undefined) return;
    this.#send(record, batch, "lifecycle", [event]);
  }

  #of(name: MachineName): Machine {
    const machine = this.#machines.get(name);
    if (machine === undefined) throw new InspectionFault(`there is no machine ${name}`);
    return machine;
  }

  #chart(sha256: string, machine: string): Chart {
    const found = this.#charts.find((chart) => chart.sha256 === sha256 && chart.machine === machine);
    if (found !== undefined) return found;
    throw new InspectionFault(`this inspector does not know the version of ${machine} that the records name`);
  }

  #newest(machine: string): Chart {
    const found = this.#charts.findLast((chart) => chart.machine === machine);
    if (found === undefined) throw new InspectionFault(`there is no chart of ${machine}`);
    return found;
  }
}

const NO_COUNTS = { messages: 0, completed: 0, refused: 0, failed: 0, interrupted: 0, overloaded: 0 };

/** What the end of an execution counts as, where the record's type says it. */
const COUNTERS: Readonly<Partial<Record<TypedRecord["type"], string>>> = {
  "message.recorded": "messages",
  "execution.refused": "refused",
  "execution.interrupted": "interrupted",
};

const begun = (chart: Chart): Machine => ({ chart, value: chart.initial });

function toolOf({ type, body }: ExecutionRecord): string {
  if (type === "message.recorded") return "message";
  return ("tool" in body ? body.tool : null) ?? "no call";
}

function snapshotOf({ value, category }: OpenExecution): FrameSnapshot {
  const ended = value === "completed" ? "done" : value === "error" ? "error" : "active";
  return { status: ended, value, context: { category } };
}

/** Why the execution of a record fails; null where it does not. */
function categoryOf(record: ExecutionRecord): ErrorType | null {
  if (record.type === "execution.interrupted") return "RuntimeError";
  if (record.type === "approval.answered") return record.body.answer === "refused" ? "AuthorizationError" : null;
  if (record.type !== "execution.refused" && record.type !== "execution.outcome") return null;
  return record.body.error?.error_type ?? null;
}

function impossible({ seq, type }: TypedRecord, actor: string, event: string, state: string): InspectionFault {
  return new InspectionFault(`record ${seq} (${type}): \`${event}\` is not possible for ${actor} in state ${state}`);
}
