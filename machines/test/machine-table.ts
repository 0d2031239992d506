/** Explores a machine by brute force: every event from every reachable state, with nothing but the machine's own word. */
import {
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type AnyStateNode,
  type EventObject,
  initialTransition,
  transition,
} from "xstate";

/** `from event to`, sorted. */
export type Table = readonly string[];

export interface Exploration {
  /** Every move that the machine makes, with states named by `nameOf`. */
  readonly table: Table;
  /** One snapshot of each reachable state. */
  readonly snapshots: ReadonlyMap<string, AnyMachineSnapshot>;
}

/** Breadth first over all events; states with the same name are the same. */
export function explore(
  machine: AnyStateMachine,
  events: readonly EventObject[],
  nameOf: (snapshot: AnyMachineSnapshot) => string,
  input?: unknown,
): Exploration {
  const [first] = initialTransition(machine, input);
  const snapshots = new Map([[nameOf(first), first]]);
  const table: string[] = [];
  for (const [from, snapshot] of snapshots) {
    for (const event of events) {
      const next = step(machine, snapshot, event);
      if (next === undefined) continue;
      const to = nameOf(next);
      table.push(`${from} ${event.type} ${to}`);
      if (!snapshots.has(to)) snapshots.set(to, next);
    }
  }
  return { table: table.sort(), snapshots };
}

/** The state after the event, or undefined when the machine does not take it. */
export function step(
  machine: AnyStateMachine,
  snapshot: AnyMachineSnapshot,
  event: EventObject,
): AnyMachineSnapshot | undefined {
  const [next] = transition(machine, snapshot, event);
  return next === snapshot ? undefined : next;
}

/** The state after all of the events; those that the machine does not take change nothing. */
export function run(machine: AnyStateMachine, events: readonly EventObject[], input?: unknown): AnyMachineSnapshot {
  const [first] = initialTransition(machine, input);
  return events.reduce((snapshot, event) => step(machine, snapshot, event) ?? snapshot, first);
}

/** Every node of the definition, so that nothing hides in a part that no path reaches. */
export function definitions(machine: AnyStateMachine): { readonly invoke: number; readonly after: number }[] {
  const below = (node: AnyStateNode): AnyStateNode[] => [node, ...Object.values(node.states).flatMap(below)];
  return below(machine.root).map(({ invoke, after }) => ({ invoke: invoke.length, after: after.length }));
}
