/** An execution is driven the same way whether or not somebody looks: by the table of its machine, or by an actor. */
import { executionMachine } from "@femtoclaw/machines";
import type { ExecutionId } from "@femtoclaw/protocol";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { ActorSystem } from "../src/actors/system.ts";
import type { ExecutionEventType } from "../src/projection/execution-table.ts";

const EVENTS = executionMachine.events as readonly ExecutionEventType[];
const systems: ActorSystem[] = [];
afterEach(() => {
  for (const system of systems.splice(0)) system.stop();
});

function systemOf(inspect?: () => void): ActorSystem {
  const system = new ActorSystem({ lastState: () => undefined, ...(inspect === undefined ? {} : { inspect }) });
  systems.push(system);
  return system;
}

describe("an execution that nobody inspects", () => {
  it("is in the same state as an actor after any events, and takes the same ones", () => {
    const [plain, inspected] = [systemOf(), systemOf(() => undefined)];
    let count = 0;
    const events = fc.array(fc.constantFrom(...EVENTS), { maxLength: 12 });
    fc.assert(
      fc.property(events, (types) => {
        count += 1;
        const id = String(count) as ExecutionId;
        const [table, actor] = [plain.spawn(id), inspected.spawn(id)];
        for (const type of types) {
          const before = [table.getSnapshot(), actor.getSnapshot()];
          table.send({ type });
          actor.send({ type });
          const after = [table.getSnapshot(), actor.getSnapshot()];
          expect(after[0]?.value).toBe(after[1]?.value);
          expect(after[0]?.status).toBe(after[1]?.status);
          expect(after[0] === before[0]).toBe(after[1] === before[1]);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("is looked at by nobody, and one that is inspected is", () => {
    let seen = 0;
    const inspected = systemOf(() => {
      seen += 1;
    });
    const before = seen;
    inspected.spawn("one" as ExecutionId).send({ type: "begin" });
    expect(seen).toBeGreaterThan(before);
  });
});

describe("when the root has ended", () => {
  it.each([
    ["the table", undefined],
    ["an actor", () => undefined],
  ])("nothing goes on that %s drives", (_, inspect) => {
    const system = systemOf(inspect);
    const driven = system.spawn("one" as ExecutionId);
    driven.send({ type: "begin" });
    system.stop();
    expect(driven.getSnapshot()).toMatchObject({ status: "stopped", value: "protocolValidating" });
    driven.send({ type: "valid" });
    expect(driven.getSnapshot()).toMatchObject({ status: "stopped", value: "protocolValidating" });
  });
});
