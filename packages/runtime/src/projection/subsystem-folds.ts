/** The machines of the runtime and of its subsystems, each in the state to which records have brought it. */
import assert from "node:assert/strict";
import { type Phase, phaseOf, type RegistryContext } from "@femtoclaw/machines";
import { type ActorSnapshot, errorText, type TypedRecord } from "@femtoclaw/protocol";
import type { EventObject } from "xstate";
import { corrupt } from "./execution-records.ts";
import { holderOf, stateOf } from "./holders.ts";
import { MachineFold } from "./machine-fold.ts";
import type { FoldingMachine, MachineSet } from "./machine-set.ts";
import { MACHINE_NAMES, type MachineName } from "./phases.ts";

export class SubsystemFolds {
  #machines: MachineSet;
  readonly #folds: Record<MachineName, MachineFold>;
  /** Machines that have taken no event since the boot began. */
  readonly #fresh = new Set<MachineName>(MACHINE_NAMES);
  /** What operators enabled or disabled by hand before this boot. */
  #overridesBefore: Readonly<Record<string, boolean>> = {};
  #hasBooted = false;

  constructor(machines: MachineSet) {
    this.#machines = machines;
    const folds = MACHINE_NAMES.map((name) => [name, this.#begun(name)]);
    this.#folds = Object.fromEntries(folds) as Record<MachineName, MachineFold>;
  }

  /** Continues from a snapshot. Throws FEMTO_JOURNAL_FORMAT if the snapshot's machines are not the given ones. */
  static stored(actors: Readonly<Record<string, ActorSnapshot>>, machines: MachineSet): SubsystemFolds {
    const folds = new SubsystemFolds(machines);
    for (const name of MACHINE_NAMES) {
      const state = stateOf(actors, name, holderOf(machines[name]));
      folds.#folds[name].restore(state as { value: unknown; context: unknown });
    }
    folds.#fresh.clear();
    return folds;
  }

  get phase(): Phase {
    return phaseOf(this.#folds.lifecycle.value);
  }

  /** Whether this boot has come far enough to take calls, even if it has stopped since. */
  get isTaking(): boolean {
    const { phase } = this.#folds.lifecycle.value as { readonly phase: unknown };
    return typeof phase === "string";
  }

  get registry(): RegistryContext {
    return this.#folds.registry.context as RegistryContext;
  }

  state(name: MachineName): { readonly value: unknown; readonly context: unknown } {
    return this.#folds[name].state;
  }

  /** Whether a subsystem has failed too often to be restarted. */
  #isLost(subsystem: string): boolean {
    return (this.#folds.lifecycle.value as Record<string, unknown>)[subsystem] === "lost";
  }

  snapshot(): Record<string, ActorSnapshot> {
    const actors = MACHINE_NAMES.map((name) => {
      return [name, { ...holderOf(this.#machines[name]), state: { ...this.#folds[name].state } }];
    });
    return Object.fromEntries(actors);
  }

  /** Throws FEMTO_JOURNAL_CORRUPT if the record claims what the machine does not do in its state. */
  send(record: TypedRecord, name: MachineName, event: EventObject): void {
    this.#fresh.delete(name);
    if (!this.#folds[name].send(event)) {
      throw corrupt(
        record,
        `\`${event.type}\` is not possible for ${name} in state ${JSON.stringify(this.#folds[name].value)}`,
      );
    }
  }

  load(record: TypedRecord & { type: "registry.loaded" }): void {
    this.send(record, "registry", { type: "load" });
    for (const capability of record.body.capabilities) {
      this.tell("registry", { type: "declare", capability } as EventObject);
    }
    this.send(record, "registry", { type: "loaded" });
  }

  reject(record: TypedRecord & { type: "policy.rejected" }): void {
    const { revision, code, reason } = record.body;
    // Without a revision, the machine never had it as a candidate.
    if (revision === null) return;
    this.send(record, "policy", { type: "propose", revision } as EventObject);
    this.send(record, "policy", { type: "reject", fault: { code, reason } } as EventObject);
  }

  observe(record: TypedRecord & { type: "observability.started" | "observability.changed" }): void {
    const { state, reason } = record.body;
    const works = record.type === "observability.started" ? "started" : "recovered";
    const event = state === "degraded" ? { type: "degraded", reason: reason ?? "" } : { type: works };
    this.send(record, "observability", event as EventObject);
  }

  crash(record: TypedRecord & { type: "supervision.crashed" }): void {
    const { subsystem, code, reason, at_ms, decision } = record.body;
    const error = { code, reason, atMs: at_ms };
    this.send(record, "lifecycle", { type: `xstate.error.actor.${subsystem}`, error } as EventObject);
    if (this.#isLost(subsystem) !== (decision === "give-up")) throw corrupt(record, `its decision is not ${decision}`);
  }

  /** Sends an event that the machine takes only in some of its states. */
  tell(name: MachineName, event: EventObject): void {
    this.#folds[name].send(event);
  }

  /** Begins all machines anew, as a boot does. What operators enabled or disabled by hand is carried over. */
  boot(): void {
    this.#overridesBefore = this.registry.overrides;
    this.#hasBooted = true;
    for (const name of MACHINE_NAMES) {
      this.#folds[name] = this.#begun(name);
      this.#fresh.add(name);
    }
  }

  /**
   * Only what operators had disabled is carried over to a new epoch; what they had enabled was enabled in the old log.
   */
  epoch(disabled: readonly string[]): void {
    this.#overridesBefore = Object.fromEntries(disabled.map((name) => [name, false]));
    this.#folds.registry = this.#begun("registry");
  }

  /** Continues with another version of one machine, which `record` names. Returns the reason if it cannot, or null. */
  goOnWith(record: TypedRecord, name: MachineName, machine: FoldingMachine): string | null {
    this.#machines = { ...this.#machines, [name]: machine };
    if (this.#fresh.has(name)) this.#folds[name] = this.#begun(name);
    // A record that begins a boot begins all machines anew.
    else if (record.type !== "boot.started") {
      const fold = new MachineFold(machine.logic);
      try {
        fold.restore(this.#folds[name].state);
      } catch (error) {
        return errorText(error);
      }
      this.#folds[name] = fold;
    }
    return null;
  }

  /** A machine as a boot begins it. The journal is already open before there is a record of the boot. */
  #begun(name: MachineName): MachineFold {
    const input = name === "registry" ? { overrides: this.#overridesBefore } : undefined;
    const fold = new MachineFold(this.#machines[name].logic, input);
    if (name !== "memory" || !this.#hasBooted) return fold;
    for (const type of ["open", "opened", "verified"]) assert(fold.send({ type }), `the memory machine takes ${type}`);
    return fold;
  }
}
