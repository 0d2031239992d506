/** The execution machine makes the moves of its normative table and no others. */

import { describe, expect, it } from "vitest";
import { type AnyMachineSnapshot, createActor } from "xstate";
import { getShortestPaths } from "xstate/graph";
import { EXECUTION_VERSION, executionMachine } from "../src/execution.ts";
import { definitions, explore, step } from "./machine-table.ts";

/** Where an execution goes: a state, or the way to an end through the commit of its record. */
const toEnd = (category: string): string => `memoryCommitting(${category})`;

/** From, events, to. A state that waits for its last commit carries the category in which it will end. */
const NORMATIVE: readonly (readonly [from: string, events: string, to: string])[] = [
  ["inputReceived", "begin", "protocolValidating"],
  ["protocolValidating", "valid", "authorizationEvaluating"],
  ["protocolValidating", "message", "memoryCommitting"],
  ["protocolValidating", "invalid", toEnd("ProtocolError")],
  ["protocolValidating", "unknown disabled argumentsInvalid", toEnd("AuthorizationError")],
  ["authorizationEvaluating", "permitted", "intentCommitting"],
  ["authorizationEvaluating", "approvalRequired", "awaitingApproval"],
  ["authorizationEvaluating", "denied factsFailed", toEnd("AuthorizationError")],
  ["awaitingApproval", "granted", "authorizationEvaluating"],
  ["awaitingApproval", "refused expired", toEnd("AuthorizationError")],
  ["awaitingApproval", "cancelled halted", toEnd("RuntimeError")],
  ["intentCommitting", "committed", "capabilityExecuting"],
  ["intentCommitting", "halted cancelled recovered", toEnd("RuntimeError")],
  ["intentCommitting", "commitFailed", "error(MemoryError)"],
  ["capabilityExecuting", "succeeded", "memoryCommitting"],
  ["capabilityExecuting", "failed timedOut cancelled contained", toEnd("CapabilityError")],
  ["capabilityExecuting", "recovered", toEnd("RuntimeError")],
  ["memoryCommitting", "committed", "completed"],
  ["memoryCommitting", "commitFailed", "error(MemoryError)"],
  ...["ProtocolError", "AuthorizationError", "CapabilityError", "RuntimeError"].flatMap((category) => [
    [toEnd(category), "committed collapsed", `error(${category})`] as const,
    [toEnd(category), "commitFailed", "error(MemoryError)"] as const,
  ]),
];

const EVENTS = executionMachine.events.map((type) => ({ type }));

const nameOf = ({ value, context }: AnyMachineSnapshot): string =>
  context.category === null ? String(value) : `${String(value)}(${context.category})`;

const exploration = explore(executionMachine, EVENTS, nameOf);

describe("the execution machine", () => {
  it("makes exactly the moves of the table, over all pairs of state and event", () => {
    const expected = NORMATIVE.flatMap(([from, events, to]) =>
      events.split(" ").map((type) => `${from} ${type} ${to}`),
    );
    expect(exploration.table).toEqual(expected.sort());
    // 9 states, memoryCommitting in 5 variants and error in 5.
    expect(exploration.snapshots.size).toBe(7 + 5 + 5);
  });

  it("reaches every state that it declares", () => {
    const reached = new Set([...exploration.snapshots.values()].map(({ value }) => value));
    expect(reached).toEqual(new Set(Object.keys(executionMachine.states)));
  });

  it("ends in `completed` or in `error` with one category, and takes nothing more then", () => {
    for (const [name, snapshot] of exploration.snapshots) {
      const final = name === "completed" || name.startsWith("error(");
      expect(snapshot.status, name).toBe(final ? "done" : "active");
      if (!final) continue;
      expect(snapshot.output).toEqual(snapshot.context);
      expect(snapshot.output.category === null, name).toBe(name === "completed");
      for (const event of EVENTS)
        expect(step(executionMachine, snapshot, event), `${name} ${event.type}`).toBeUndefined();
    }
  });

  it("reaches the effect only through a committed intent, and `completed` only through a commit", () => {
    for (const row of exploration.table) {
      const [from, type, to] = row.split(" ");
      if (to === "capabilityExecuting") expect([from, type]).toEqual(["intentCommitting", "committed"]);
      if (to === "completed") expect([from, type]).toEqual(["memoryCommitting", "committed"]);
    }
  });

  it("goes wherever a graph search finds, and needs no invoked actor and no timer for it", () => {
    for (const node of definitions(executionMachine)) expect(node).toEqual({ invoke: 0, after: 0 });
    const paths = getShortestPaths(executionMachine, { events: EVENTS as never });
    expect(new Set(paths.map(({ state }) => nameOf(state)))).toEqual(new Set(exploration.snapshots.keys()));
    for (const { steps, state } of paths) {
      const actor = createActor(executionMachine).start();
      for (const { event } of steps) if (EVENTS.includes(event)) actor.send(event);
      expect(actor.getSnapshot().value).toEqual(state.value);
      expect(actor.getSnapshot().context).toEqual(state.context);
    }
  });

  it("takes no event that it does not know, whatever it is called", () => {
    const strangers = ["", "COMMITTED", "committed ", "xstate.done.actor.x", "xstate.after.1", "constructor"];
    for (const [name, snapshot] of exploration.snapshots) {
      for (const type of strangers)
        expect(step(executionMachine, snapshot, { type }), `${name} ${type}`).toBeUndefined();
    }
  });

  it("has a version", () => {
    expect(executionMachine.version).toBe(EXECUTION_VERSION);
  });
});
