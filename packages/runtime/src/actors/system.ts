/**
 * The live actors: the root lifecycle with its subsystems, and the executions beside them. Inspection listeners are
 * guarded here, because in XState a listener that throws vetoes the event that it looks at.
 */
import {
  type Crash,
  type ExecutionActor,
  type executionsLogic,
  type LifecycleEvent,
  lifecycleMachine,
  memoryMachine,
  observabilityMachine,
  type Phase,
  phaseOf,
  policyMachine,
  registryMachine,
  type Subsystem,
} from "@femtoclaw/machines";
import { type ExecutionId, LIMITS } from "@femtoclaw/protocol";
import {
  type Actor,
  type ActorRefFrom,
  type AnyActorRef,
  createActor,
  type EventObject,
  type InspectionEvent,
} from "xstate";
import { harmless } from "../harmless.ts";
import { ExecutionTable } from "../projection/execution-table.ts";
import { type DrivenExecution, TableExecution } from "./driven-execution.ts";
import { supervised } from "./supervised.ts";

/** Gets XState's inspection events of every actor. */
export type Inspect = (event: InspectionEvent) => void;

interface SystemOptions {
  readonly inspect?: Inspect;
  /** The state from which a restarted subsystem goes on; undefined starts it afresh. */
  lastState(subsystem: Subsystem): { readonly value: unknown; readonly context: unknown } | undefined;
}

export class ActorSystem {
  readonly #root: Actor<typeof lifecycleMachine>;
  /** Drives executions; null if somebody inspects, because an inspector is to see an actor for each execution. */
  readonly #table: ExecutionTable | null;
  readonly #isActive = (): boolean => this.#root.getSnapshot().status === "active";

  constructor(options: SystemOptions) {
    this.#table = options.inspect === undefined ? ExecutionTable.of() : null;
    const restore = (subsystem: Subsystem) => () => options.lastState(subsystem);
    const machine = lifecycleMachine.provide({
      actors: {
        memory: supervised(memoryMachine, restore("memory")),
        registry: supervised(registryMachine, restore("registry")),
        policy: supervised(policyMachine, restore("policy")),
        observability: supervised(observabilityMachine, restore("observability")),
      },
    });
    this.#root = createActor(machine, {
      input: { restartsMax: LIMITS.restarts, windowMs: LIMITS.restartWindowMs },
      ...(options.inspect === undefined ? {} : { inspect: harmless("an inspection listener", options.inspect) }),
    });
    // Without an error observer, XState would rethrow errors from a timer and end the process.
    this.#root.subscribe({ error: () => this.#root.stop() });
    this.#root.start();
  }

  // INVARIANT: I3: if the root actor itself failed, no calls are taken, whatever its last state was.
  get phase(): Phase {
    const { status, value } = this.#root.getSnapshot();
    return status === "error" ? "error" : phaseOf(value);
  }

  /** Whether the subsystem's actor runs. It does not while it waits for a restart, or after it is lost. */
  isUp(subsystem: Subsystem): boolean {
    return (this.#root.getSnapshot().value as Record<string, unknown>)[subsystem] === "up";
  }

  /** Sends an event to the root; returns the phases before and after. */
  advance(event: LifecycleEvent): { readonly from: Phase; readonly to: Phase } {
    const from = this.phase;
    this.#root.send(event);
    return { from, to: this.phase };
  }

  /** Sends an event to a subsystem. False if the subsystem is down or does not take the event in its state. */
  send(subsystem: Subsystem, event: EventObject): boolean {
    const actor = this.#actor(subsystem);
    if (actor === undefined) return false;
    const before = actor.getSnapshot();
    actor.send(event);
    return actor.getSnapshot() !== before;
  }

  /** Value and context of a subsystem; undefined while it is down. */
  state(subsystem: Subsystem): { readonly value: unknown; readonly context: unknown } | undefined {
    const snapshot: unknown = this.#actor(subsystem)?.getSnapshot();
    return snapshot as { value: unknown; context: unknown } | undefined;
  }

  /** Ends the subsystem's actor with a crash, which its supervisor handles. */
  crash(subsystem: Subsystem, crash: Crash): void {
    this.#actor(subsystem)?.send({ type: "subsystem.crashed", crash });
  }

  /** Begins one more execution. */
  spawn(id: ExecutionId): DrivenExecution {
    if (this.#table === null) return this.#started("execution.received", id);
    return new TableExecution(this.#table, this.#isActive);
  }

  /** Starts the actor of an execution that waited for an answer, in the state in which it waited. */
  resume(id: ExecutionId): DrivenExecution {
    return this.#started("execution.resumed", id);
  }

  /** Ends the actor of an execution that waits for an answer, if it has one. */
  evict(id: ExecutionId): void {
    this.#executions.send({ type: "execution.evicted", id });
  }

  #started(type: "execution.received" | "execution.resumed", id: ExecutionId): ExecutionActor {
    this.#executions.send({ type, id });
    const actor = this.#executions.getSnapshot().live.get(id);
    if (actor === undefined) throw new Error(`the actor of execution ${id} did not start`);
    return actor;
  }

  get #executions(): ActorRefFrom<typeof executionsLogic> {
    return this.#root.system.get("executions");
  }

  stop(): void {
    this.#root.stop();
  }

  /** Whether the subsystem crashed more often than its limit allows. */
  isLost(subsystem: Subsystem): boolean {
    return (this.#root.getSnapshot().value as Record<string, unknown>)[subsystem] === "lost";
  }

  /** Crashes of the subsystem that count towards its limit. */
  crashesInWindow(subsystem: Subsystem): number {
    return this.#root.getSnapshot().context.crashesMs[subsystem].length;
  }

  #actor(subsystem: Subsystem): AnyActorRef | undefined {
    return this.isUp(subsystem) ? (this.#root.system.get(subsystem) as AnyActorRef | undefined) : undefined;
  }
}
