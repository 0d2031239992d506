/** The parent of the executions holds each of them as long as it lives, and no longer. */
import { describe, expect, it } from "vitest";
import { type AnyActorRef, createActor, type InspectionEvent } from "xstate";
import { executionsLogic } from "../src/index.ts";

const start = (inspect?: (event: InspectionEvent) => void) =>
  createActor(executionsLogic, inspect === undefined ? {} : { inspect }).start();

const spawn = (executions: ReturnType<typeof start>, id: string) => {
  executions.send({ type: "execution.received", id });
  const actor = executions.getSnapshot().live.get(id);
  if (actor === undefined) throw new Error("the actor did not start");
  return actor;
};

describe("the executions", () => {
  it("are reaped at once when they end, each in its own way", () => {
    const executions = start();
    const [first, second] = [spawn(executions, "first"), spawn(executions, "second")];
    expect(executions.getSnapshot().live.size).toBe(2);
    for (const type of ["begin", "message", "committed"] as const) first.send({ type });
    expect(first.getSnapshot()).toMatchObject({ status: "done", value: "completed" });
    expect([...executions.getSnapshot().live.keys()]).toEqual(["second"]);
    for (const type of ["begin", "invalid", "commitFailed"] as const) second.send({ type });
    expect(second.getSnapshot().output).toEqual({ category: "MemoryError" });
    expect(executions.getSnapshot().live.size).toBe(0);
  });

  it("end with their parent", () => {
    const executions = start();
    const actors = ["a", "b", "c"].map((id) => spawn(executions, id));
    executions.stop();
    for (const actor of actors) expect(actor.getSnapshot().status).toBe("stopped");
    expect(executions.getSnapshot().live.size).toBe(0);
  });

  it("leave nothing behind, however many there were", () => {
    const executions = start();
    for (let count = 0; count < 2_000; count += 1) {
      const actor = spawn(executions, String(count));
      for (const type of ["begin", "valid", "denied", "committed"] as const) actor.send({ type });
    }
    expect(executions.getSnapshot().live.size).toBe(0);
  });

  it("are seen by inspection with their own identifiers", () => {
    const seen: string[] = [];
    const executions = start((event) => {
      if (event.type === "@xstate.snapshot") seen.push((event.actorRef as AnyActorRef).id);
    });
    spawn(executions, "watched").send({ type: "begin" });
    expect(seen).toContain("watched");
  });

  it("are no part of what is persisted, because the journal is the only truth about them", () => {
    const executions = start();
    spawn(executions, "a");
    expect(JSON.parse(JSON.stringify(executions.getPersistedSnapshot()))).toEqual({ status: "active" });
  });
});
