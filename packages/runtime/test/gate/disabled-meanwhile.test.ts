/** An operator disables a capability while calls of it are under way. */
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { LoopTurns } from "../../src/gate/admission/loop-turns.ts";
import { Barrier, call, capability, startRuntime } from "../runtime-fixture.ts";

describe("an operator who disables a capability", () => {
  it("means the calls that wait for it, too", async () => {
    const barrier = new Barrier();
    let began = 0;
    const wait = capability("wait", async () => {
      began += 1;
      await barrier.arrive();
      return {};
    });
    const runtime = await startRuntime({ capabilities: [wait], configuration: { limits: { concurrency: 1 } } });
    const session = runtime.openSession({ channel: "library" });
    const first = session.propose(call("wait"));
    await barrier.reached;
    const second = session.propose(call("wait"));
    await expect.poll(() => runtime.status().running).toBe(2);
    await runtime.switchCapability({ name: "wait", enabled: false, by: "operator" });
    barrier.open();
    expect(await first).toMatchObject({ status: "completed" });
    expect((await second).error).toMatchObject({ code: "FEMTO_EXECUTION_HALTED" });
    expect((await session.propose(call("wait"))).error).toMatchObject({ code: "FEMTO_CAPABILITY_DISABLED" });
    expect(began).toBe(1);
  });

  it("means a call that has its intent and waits for its turn, too", async () => {
    let effects = 0;
    const counts = capability("counts", () => {
      effects += 1;
      return {};
    });
    const runtime = await startRuntime({ capabilities: [counts] });
    const session = runtime.openSession({ channel: "library" });
    // A call begins with the first turn. The second comes once its intent is durable.
    let turns = 0;
    const spy = vi.spyOn(LoopTurns.prototype, "next").mockImplementation(() => {
      turns += 1;
      return turns === 2 ? runtime.switchCapability({ name: "counts", enabled: false, by: "operator" }) : null;
    });
    onTestFinished(() => spy.mockRestore());
    expect((await session.propose(call("counts"))).error).toMatchObject({ code: "FEMTO_EXECUTION_HALTED" });
    expect(effects).toBe(0);
  });
});
