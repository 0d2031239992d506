/**
 * The execution machine as a table of (state, event) to state, generated from the machine itself by
 * visiting every state it can reach. Folding history through it is fifty times cheaper than XState;
 * a test proves the two equal over all paths.
 */
import { type ExecutionContext, type ExecutionEvent, type ExecutionState, executionMachine } from "@femtoclaw/machines";
import type { AnyStateMachine } from "xstate";
import { MachineFold } from "./inert-scope.ts";

export type ExecutionEventType = ExecutionEvent["type"];

/** A state of one execution, as plain data. */
export interface ExecutionPoint {
  readonly state: ExecutionState;
  readonly category: ExecutionContext["category"];
}

/** Every event that the machine knows, gathered from the machine, so that none can be forgotten here. */
export const EXECUTION_EVENTS = executionMachine.events as readonly ExecutionEventType[];

export class ExecutionTable {
  static #own: ExecutionTable | null = null;
  /** One point for each state, which all rows lead to: only one that came from elsewhere is looked up by its text. */
  readonly #points = new Map<string, ExecutionPoint>();
  readonly #rows = new Map<ExecutionPoint, Map<ExecutionEventType, ExecutionPoint>>();
  readonly initial: ExecutionPoint;

  /** Of a machine. That of the running version is made once and shared, because nothing changes in it any more. */
  static of(machine: AnyStateMachine = executionMachine): ExecutionTable {
    if (machine !== executionMachine) return new ExecutionTable(machine);
    ExecutionTable.#own ??= new ExecutionTable(machine);
    return ExecutionTable.#own;
  }

  private constructor(machine: AnyStateMachine) {
    const events = machine.events as readonly ExecutionEventType[];
    const fold = new MachineFold(machine);
    this.initial = this.#ownPoint(point(fold));
    const unexplored = [this.initial];
    for (let from = unexplored.pop(); from !== undefined; from = unexplored.pop()) {
      if (this.#rows.has(from)) continue;
      const row = new Map<ExecutionEventType, ExecutionPoint>();
      this.#rows.set(from, row);
      const state = { value: from.state, context: { category: from.category } };
      fold.restore(state);
      for (const type of events) {
        if (!fold.send({ type })) continue;
        const to = this.#ownPoint(point(fold));
        row.set(type, to);
        unexplored.push(to);
        fold.restore(state);
      }
    }
  }

  /** The state after the event, or undefined when the machine does not take it. */
  next(from: ExecutionPoint, type: ExecutionEventType): ExecutionPoint | undefined {
    const row = this.#rows.get(from) ?? this.#rows.get(this.#points.get(key(from)) ?? from);
    return row?.get(type);
  }

  /** Whether an execution can be in this state. */
  has(at: ExecutionPoint): boolean {
    return this.#points.has(key(at));
  }

  /** All reachable states, for exploration and drawing. */
  get points(): ExecutionPoint[] {
    return [...this.#rows.keys()];
  }

  #ownPoint(at: ExecutionPoint): ExecutionPoint {
    const own = this.#points.get(key(at)) ?? Object.freeze(at);
    this.#points.set(key(at), own);
    return own;
  }
}

function point(fold: MachineFold): ExecutionPoint {
  return { state: fold.value as ExecutionState, category: (fold.context as ExecutionContext).category };
}

function key(at: ExecutionPoint): string {
  return `{"state":"${at.state}","category":${at.category === null ? "null" : `"${at.category}"`}}`;
}
