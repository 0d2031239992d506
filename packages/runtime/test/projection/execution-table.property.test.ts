/** The table that folds history is the execution machine: along any events both are in the same state. */
import { executionMachine } from "@femtoclaw/machines";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createActor } from "xstate";
import { type ExecutionEventType, type ExecutionPoint, ExecutionTable } from "../../src/projection/execution-table.ts";
import { MachineFold } from "../../src/projection/machine-fold.ts";

const table = ExecutionTable.of();
const EVENTS = executionMachine.events as readonly ExecutionEventType[];
const pointOf = ({ value, context }: { value: unknown; context: { category: unknown } }): unknown => ({
  state: value,
  category: context.category,
});

describe("the execution table", () => {
  it("knows every state of the machine", () => {
    expect(new Set(table.points.map(({ state }) => state))).toEqual(new Set(Object.keys(executionMachine.states)));
    expect(table.initial).toEqual({ state: "inputReceived", category: null });
  });

  it("says of every state and event what the machine does", () => {
    for (const from of table.points) {
      for (const type of EVENTS) {
        const fold = new MachineFold(executionMachine);
        fold.restore({ value: from.state, context: { category: from.category } });
        const to = fold.send({ type }) ? pointOf(fold) : undefined;
        expect(table.next(from, type), `${from.state} ${type}`).toEqual(to);
      }
    }
  });

  it("has no row for what it does not know", () => {
    expect(table.next({ state: "completed", category: "MemoryError" }, "committed")).toBeUndefined();
    expect(table.next(table.initial, "constructor" as never)).toBeUndefined();
  });

  it("goes with a live actor and with a fold along any events", () => {
    // Events that the state takes come more often, or few paths would leave the first states.
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), fc.boolean()), { maxLength: 20 }), (choices) => {
        const actor = createActor(executionMachine).start();
        const fold = new MachineFold(executionMachine);
        let at: ExecutionPoint = table.initial;
        for (const [choice, likely] of choices) {
          const possible = EVENTS.filter((type) => table.next(at, type) !== undefined);
          const events = likely && possible.length > 0 ? possible : EVENTS;
          const type = events[choice % events.length] ?? "begin";
          const next = table.next(at, type);
          expect(fold.send({ type })).toBe(next !== undefined);
          if (actor.getSnapshot().status === "active") actor.send({ type });
          at = next ?? at;
          expect(pointOf(actor.getSnapshot())).toEqual(at);
          expect(pointOf(fold)).toEqual(at);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
