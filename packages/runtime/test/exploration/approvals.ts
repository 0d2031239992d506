/**
 * Approvals and policy revisions, explored on the pure machines alone, where three executions can be searched
 * whole; the real gate is explored with fewer. Executions and the policy go through every order of
 * their events, with a crash in every state, under the rule by which a gate would have to send them.
 */
import { type ExecutionEvent, executionMachine, policyMachine } from "@femtoclaw/machines";
import {
  type AnyEventObject,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  initialTransition,
  transition,
} from "xstate";
import { Violation } from "./invariants.ts";

/** All that a running gate may send; `recovered` comes with a crash alone. */
const EXECUTION_EVENTS: readonly Exclude<ExecutionEvent["type"], "recovered">[] = [
  ...(["begin", "message", "valid", "invalid", "unknown", "disabled", "argumentsInvalid"] as const),
  ...(["permitted", "approvalRequired", "denied", "factsFailed"] as const),
  ...(["granted", "refused", "expired", "cancelled", "halted"] as const),
  ...(["succeeded", "failed", "timedOut", "contained"] as const),
  ...(["committed", "commitFailed"] as const),
];
const REVISIONS = ["first", "second"] as const;

/** One execution, and what its history has to answer for. */
interface Execution {
  readonly snapshot: AnyMachineSnapshot;
  /** Revision under which it was permitted last; null before, and again once it has to be decided anew. */
  readonly permittedBy: string | null;
  readonly isIntentDurable: boolean;
  readonly effects: number;
  readonly isInterrupted: boolean;
}

interface World {
  readonly executions: readonly Execution[];
  readonly policy: AnyMachineSnapshot;
  /** Revisions that were proposed so far. */
  readonly proposed: number;
}

export interface ApprovalsExplored {
  readonly states: number;
  readonly steps: number;
}

/** Throws a `Violation` that says what was reached. `machine` is for wrong ones, which have to be found out. */
export function exploreApprovals(executions: number, machine: AnyStateMachine = executionMachine): ApprovalsExplored {
  return new Search(machine).run(executions);
}

class Search {
  readonly #machine: AnyStateMachine;
  /** Each step of the machines is made once, because the same few come again and again. */
  readonly #steps = new Map<string, AnyMachineSnapshot | null>();

  constructor(machine: AnyStateMachine) {
    this.#machine = machine;
  }

  run(executions: number): ApprovalsExplored {
    const [snapshot] = initialTransition(this.#machine);
    const [policy] = initialTransition(policyMachine);
    const execution = { snapshot, permittedBy: null, isIntentDurable: false, effects: 0, isInterrupted: false };
    const first: World = { executions: Array.from({ length: executions }, () => execution), policy, proposed: 0 };
    const worlds = new Map([[nameOf(first), first]]);
    let steps = 0;
    for (const world of worlds.values()) {
      for (const next of this.#successors(world)) {
        steps += 1;
        const name = nameOf(next);
        if (!worlds.has(name)) worlds.set(name, next);
      }
    }
    return { states: worlds.size, steps };
  }

  *#successors(world: World): Generator<World> {
    for (const [index, execution] of world.executions.entries()) {
      for (const type of EXECUTION_EVENTS) {
        const next = this.#moved(execution, type, activeOf(world));
        if (next !== null) yield { ...world, executions: world.executions.with(index, next) };
      }
    }
    yield* this.#policyChanges(world);
    const crashed = world.executions.map((execution) => this.#afterCrash(execution));
    if (crashed.some((execution, index) => execution !== world.executions[index])) {
      yield { ...world, executions: crashed };
    }
  }

  /** The execution after the event, or null where its machine or the gate's rule does not take it. */
  #moved(execution: Execution, type: ExecutionEvent["type"], active: string | null): Execution | null {
    // Without an active revision the gate can only deny.
    if ((type === "permitted" || type === "approvalRequired") && active === null) return null;
    const { snapshot } = execution;
    const next = this.#step(this.#machine, snapshot, { type });
    if (next === null) return null;
    const before = String(snapshot.value);
    const after = String(next.value);
    const keptPermit = after === "authorizationEvaluating" ? null : execution.permittedBy;
    const begins = after === "capabilityExecuting" ? 1 : 0;
    const result = {
      ...execution,
      snapshot: next,
      permittedBy: type === "permitted" ? active : keptPermit,
      isIntentDurable: execution.isIntentDurable || (before === "intentCommitting" && type === "committed"),
      effects: execution.effects + begins,
    };
    if (begins > 0) assertMayBegin(result, before);
    return result;
  }

  /** A crash leaves what has no intent without a trace; what has one and no outcome is recovered to its end. */
  #afterCrash(execution: Execution): Execution {
    const { snapshot, isIntentDurable } = execution;
    if (snapshot.status !== "active" || !isIntentDurable) return execution;
    const recovered = this.#step(this.#machine, snapshot, { type: "recovered" });
    // An outcome on its way to the disk needs no recovery where it lands; where not, the effect's state stands for it.
    if (recovered === null) return execution;
    const ended = this.#step(this.#machine, recovered, { type: "committed" });
    if (ended?.value !== "error") throw new Violation(`I2: ${String(snapshot.value)} is recovered to another end`);
    return { ...execution, snapshot: ended, isInterrupted: true };
  }

  *#policyChanges(world: World): Generator<World> {
    const { policy } = world;
    const active = activeOf(world);
    const revision = REVISIONS[world.proposed];
    const proposed = revision === undefined ? null : this.#step(policyMachine, policy, { type: "propose", revision });
    if (proposed !== null) {
      if (activeOf({ policy: proposed }) !== active) throw new Violation("I3: a candidate is in force too early");
      yield { ...world, policy: proposed, proposed: world.proposed + 1 };
    }
    const fault = { code: "FEMTO_POLICY_INVALID", reason: "it was to be rejected" };
    const rejected = this.#step(policyMachine, policy, { type: "reject", fault });
    if (rejected !== null) {
      if (activeOf({ policy: rejected }) !== active) throw new Violation("I3: a rejection changes what is in force");
      yield { ...world, policy: rejected };
    }
    const activated = this.#step(policyMachine, policy, { type: "activate" });
    if (activated !== null) yield { ...world, policy: activated };
  }

  #step(machine: AnyStateMachine, snapshot: AnyMachineSnapshot, event: AnyEventObject): AnyMachineSnapshot | null {
    const name = JSON.stringify([machine.id, snapshot.value, snapshot.context, event]);
    const known = this.#steps.get(name);
    if (known !== undefined) return known;
    const [next] = transition(machine, snapshot, event);
    const result = next === snapshot ? null : next;
    this.#steps.set(name, result);
    return result;
  }
}

function assertMayBegin({ isIntentDurable, permittedBy, effects, isInterrupted }: Execution, before: string): void {
  if (!isIntentDurable) throw new Violation(`I1: an effect begins from ${before} without a durable intent`);
  if (permittedBy === null) throw new Violation(`I3: an effect begins from ${before} that no revision permitted`);
  if (effects > 1 || isInterrupted) throw new Violation(`I2: an effect begins from ${before} a second time`);
}

function activeOf({ policy }: Pick<World, "policy">): string | null {
  return (policy.context as { readonly active: string | null }).active;
}

/** Executions that stand alike are alike, in whatever order. */
function nameOf({ executions, policy, proposed }: World): string {
  const names = executions.map(({ snapshot, ...rest }) => JSON.stringify([snapshot.value, snapshot.context, rest]));
  return JSON.stringify([names.sort(), policy.value, policy.context, proposed]);
}
