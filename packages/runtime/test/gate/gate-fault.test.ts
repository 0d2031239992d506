/** A fault of the gate itself, as its proposer and those who wait for the call meet it. */
import { expect, it, onTestFinished, vi } from "vitest";
import { BoundArguments } from "../../../capabilities/src/facts/bound-arguments.ts";
import { ActorSystem } from "../../src/actors/system.ts";
import { Admission } from "../../src/gate/admission/admission.ts";
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

it("on the way into the gate is told to those who wait, and leaves nothing behind", async () => {
  const runtime = await startRuntime({ capabilities: [capability("noted", async () => ({}))] });
  const session = runtime.openSession({ channel: "library" });
  const fault = new Error("a fault of the admission");
  const enter = vi.spyOn(Admission.prototype, "enter").mockRejectedValueOnce(fault);
  onTestFinished(() => enter.mockRestore());
  let id = "";
  const waited = Promise.withResolvers<unknown>();
  const onIdentified = (execution: string): void => {
    id = execution;
    session.wait(id).then(waited.resolve, waited.resolve);
  };
  await expect(session.propose(call("noted", {}), { onIdentified })).rejects.toBe(fault);
  expect(await waited.promise).toBe(fault);
  await expect(session.wait(id)).rejects.toMatchObject({ code: "FEMTO_EXECUTION_NOT_FOUND" });
});

it("at the release of what a call held open costs nobody the answer", async () => {
  const runtime = await startRuntime({ capabilities: [capability("noted", async () => ({}))] });
  const session = runtime.openSession({ channel: "library" });
  const dispose = vi.spyOn(BoundArguments.prototype, Symbol.asyncDispose).mockRejectedValueOnce(new Error("EIO"));
  onTestFinished(() => dispose.mockRestore());
  const warned = new Promise<unknown>((resolve) => process.once("warning", resolve));
  const waited = Promise.withResolvers<unknown>();
  const onIdentified = (id: string): void => void session.wait(id).then(waited.resolve, waited.resolve);
  const reply = await session.propose(call("noted", {}), { onIdentified });
  expect(reply).toMatchObject({ status: "completed", result: {} });
  expect(await waited.promise).toEqual(reply);
  expect(await warned).toMatchObject({ message: expect.stringContaining("what a call held open threw: EIO") });
});
