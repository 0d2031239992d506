/**
 * Turns records into frames. It is a pure projection: the same records give the same frames in the browser, in an
 * exported file and in a test. It follows the charts, and a record that no chart can follow is a fault, never a guess.
 */
import type { TypedRecord } from "@femtoclaw/protocol";
import { type Chart, transitionOf } from "./chart.ts";
import { ExecutionActors } from "./execution-actors.ts";
import {
  type Frame,
  FrameBatch,
  MACHINE_NAMES,
  type MachineName,
  type Region,
  type SubsystemName,
  type Summary,
  type Transition,
} from "./frames.ts";
import { InspectionFault, impossible } from "./inspection-fault.ts";
import { subsystemEvents } from "./record-events.ts";

const ALL_UP: Readonly<Record<SubsystemName, Region>> = {
  memory: "up",
  registry: "up",
  policy: "up",
  observability: "up",
};

interface Machine {
  chart: Chart;
  value: string;
}

export class FrameProjection {
  readonly #charts: readonly Chart[];
  readonly #machines: Map<MachineName, Machine>;
  readonly #executions: ExecutionActors;
  #regions = ALL_UP;
  #size = 0;
  #boot: string | null = null;
  #boots = 0;
  #running = 0;

  /** Continues after a summary, or begins with the first record if there is none. */
  constructor(charts: readonly Chart[], summary: Summary | null) {
    this.#charts = charts;
    this.#machines = new Map(MACHINE_NAMES.map((name) => [name, begun(this.#newest(name))]));
    this.#executions = new ExecutionActors(this.#newest("execution"), summary);
    if (summary === null) return;
    this.#size = summary.size;
    this.#boot = summary.boot;
    this.#boots = summary.boots;
    this.#running = summary.running;
    this.#regions = summary.regions;
    for (const name of MACHINE_NAMES) {
      const { value, sha256 } = summary.machines[name];
      this.#machines.set(name, { chart: this.#chart(sha256, name), value });
    }
  }

  /** The state after the last record, from which another projection can continue. */
  summary(): Summary {
    return {
      size: this.#size,
      boot: this.#boot,
      boots: this.#boots,
      running: this.#running,
      machines: Object.fromEntries(MACHINE_NAMES.map((name) => [name, this.machine(name)])) as Summary["machines"],
      regions: this.#regions,
      actors: this.#executions.actors,
      counters: this.#executions.counters,
    };
  }

  /** The number of the next record. */
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

  /** Throws InspectionFault, after which no further record can be applied. */
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
    this.#take(record.machine);
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
        return this.#executions.inherit(record, batch);
      case "overload.refused":
        return this.#executions.count("overloaded", record.body.count);
      case "execution.resolved":
        return this.#executions.resolve(record.execution ?? "");
      case "message.recorded":
      case "approval.asked":
      case "approval.answered":
      case "execution.refused":
      case "execution.interrupted":
        return this.#executions.apply(record, batch);
      case "execution.intent":
        this.#executions.apply(record, batch);
        return this.#run(record, batch, 1);
      case "execution.outcome":
        this.#executions.apply(record, batch);
        return this.#run(record, batch, -1);
      default: {
        const about = subsystemEvents(record);
        if (about !== null) this.#send(record, batch, about.machine, about.events);
      }
    }
  }

  /** A record names the version of the machine that folds it. */
  #take({ id, sha256 }: TypedRecord["machine"]): void {
    if (id === "execution") this.#executions.chart = this.#chart(sha256, id);
    else this.#of(id).chart = this.#chart(sha256, id);
  }

  #begin(record: TypedRecord & { type: "boot.started" }, batch: FrameBatch): void {
    this.#boot = record.boot;
    this.#boots += 1;
    this.#running = 0;
    this.#regions = ALL_UP;
    for (const name of MACHINE_NAMES) {
      const machine = begun(this.#of(name).chart);
      // The journal is ready before it can hold a record of the boot.
      if (name === "memory") machine.value = "ready";
      this.#machines.set(name, machine);
      const parentId = name === "lifecycle" ? null : `${record.boot}/lifecycle`;
      const snapshot = { status: "active", value: machine.value } as const;
      batch.add(name, { type: "@xstate.actor", name, parentId, definitionRef: machine.chart.sha256, snapshot });
    }
  }

  #crashed(record: TypedRecord & { type: "supervision.crashed" }, batch: FrameBatch): void {
    const { subsystem, decision } = record.body;
    this.#regions = { ...this.#regions, [subsystem]: decision === "restart" ? "backoff" : "lost" };
    if (decision === "give-up" && subsystem !== "observability") this.#send(record, batch, "lifecycle", ["fault"]);
    const machine = this.#machines.get(subsystem);
    if (machine === undefined) return;
    const snapshot = { status: "error", value: machine.value } as const;
    batch.add(subsystem, {
      type: "@xstate.snapshot",
      event: { type: `xstate.error.actor.${subsystem}` },
      snapshot,
      via: [],
    });
  }

  #send(record: TypedRecord, batch: FrameBatch, name: MachineName, events: readonly string[]): void {
    const machine = this.#of(name);
    // If a candidate is rejected, the policy that was in force, if any, stays so.
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
    const type = events.at(-1) ?? "";
    const snapshot = { status: "active", value: machine.value } as const;
    batch.add(name, { type: "@xstate.snapshot", event: { type }, snapshot, via });
  }

  /** The lifecycle is `executing` while any permitted execution is between intent and outcome. */
  #run(record: TypedRecord, batch: FrameBatch, change: 1 | -1): void {
    const before = this.#running;
    this.#running += change;
    if (before !== 0 && this.#running !== 0) return;
    const event = before === 0 ? "execution.began" : "execution.ended";
    const { chart, value } = this.#of("lifecycle");
    if (transitionOf(chart, value, event, () => false) === undefined) return;
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
    throw new InspectionFault(`this inspector does not know this version of ${machine}`);
  }

  #newest(machine: string): Chart {
    const found = this.#charts.findLast((chart) => chart.machine === machine);
    if (found === undefined) throw new InspectionFault(`there is no machine ${machine}`);
    return found;
  }
}

const begun = (chart: Chart): Machine => ({ chart, value: chart.initial });
