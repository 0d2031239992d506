/**
 * Folds events through a machine without running anything: the transitions are those of a live actor, while actions are
 * only collected and dropped. Reusing one scope is several times cheaper than `transition()`.
 */
import assert from "node:assert/strict";
import {
  type ActorScope,
  type AnyActor,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  createActor,
  type EventObject,
  type ExecutableActionObject,
} from "xstate";

type Scope = ActorScope<AnyMachineSnapshot, EventObject>;

export class MachineFold {
  readonly #machine: AnyStateMachine;
  #scope: Scope;
  #snapshot: AnyMachineSnapshot;

  constructor(machine: AnyStateMachine, input?: unknown) {
    this.#machine = machine;
    const self = createActor(machine, { input });
    this.#scope = inertScope(self);
    this.#snapshot = firstSnapshot(self);
  }

  get value(): AnyMachineSnapshot["value"] {
    return this.#snapshot.value;
  }

  get context(): AnyMachineSnapshot["context"] {
    return this.#snapshot.context;
  }

  /** False if the machine does not take the event in its state; then nothing has changed. */
  send(event: EventObject): boolean {
    const next = this.#machine.transition(this.#snapshot, event, this.#scope);
    // An unhandled error event would end the machine; such a crash cannot have happened.
    if (next === this.#snapshot || next.status === "error") return false;
    this.#snapshot = next;
    return true;
  }

  /** Continues from a state that `state` returned. */
  restore(state: { readonly value: unknown; readonly context: unknown }): void {
    const snapshot = this.#machine.resolveState(state as Parameters<AnyStateMachine["resolveState"]>[0]);
    // This needs a new scope, because the old one holds the names of the children that its first state invoked.
    const self = createActor(this.#machine, { snapshot });
    this.#scope = inertScope(self);
    this.#snapshot = firstSnapshot(self);
  }

  /** Value and context only: children have snapshots of their own. */
  get state(): { value: AnyMachineSnapshot["value"]; context: AnyMachineSnapshot["context"] } {
    return { value: this.#snapshot.value, context: this.#snapshot.context };
  }
}

function firstSnapshot(self: AnyActor): AnyMachineSnapshot {
  const snapshot = self.getSnapshot() as AnyMachineSnapshot;
  assert(snapshot.status !== "error", "a machine has a state to begin with");
  return snapshot;
}

function inertScope(self: AnyActor): Scope {
  return {
    self,
    system: self.system,
    id: self.id,
    sessionId: self.sessionId,
    logger: ignore,
    defer: ignore,
    stopChild: ignore,
    emit: ignore,
    actionExecutor: forgetStopped,
  } as unknown as Scope;
}

function ignore(): void {
  // A fold runs no action: effects belong only to the live actor.
}

/** The one exception: a stopped child gives its name back, or it could not be invoked again. */
function forgetStopped({ type, info, params, exec }: ExecutableActionObject): void {
  if (type === "xstate.stopChild") exec?.(info, params);
}
