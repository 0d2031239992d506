/** A fault of the gate itself, as its proposer and those who wait for the call meet it. */
import { expect, it, onTestFinished, vi } from "vitest";
import { ActorSystem } from "../../src/actors/system.ts";
import { call, capability, startRuntime } from "../runtime-fixture.ts";

it("is told to everybody who waits for the call", async () => {
  const runtime = await startRuntime({ capabilities: [capability("noted", async () => ({}))] });
  const session = runtime.openSession({ channel: "library" });
  const fault = new Error("a fault of the gate");
  const spawn = vi.spyOn(ActorSystem.prototype, "spawn").mockImplementationOnce(() => {
    throw fault;
  });
  onTestFinished(() => spawn.mockRestore());
  const waited = Promise.withResolvers<unknown>();
  const onIdentified = (id: string): void => void session.wait(id).then(waited.resolve, waited.resolve);
  await expect(session.propose(call("noted", {}), { onIdentified })).rejects.toBe(fault);
  expect(await waited.promise).toBe(fault);
});
