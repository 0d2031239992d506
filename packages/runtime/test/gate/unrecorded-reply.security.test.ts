/** A reply that is in no journal, and a session of another principal that knows the identifier of its call. */
import { expect, it, onTestFinished, vi } from "vitest";
import { LoopTurns } from "../../src/gate/admission/loop-turns.ts";
import { call, capability, startRuntime } from "../runtime-fixture.ts";

it("is told to the principal of the call, and to nobody else", async () => {
  const runtime = await startRuntime({
    capabilities: [capability("quick")],
    configuration: { agent: { reviewer: {} } },
  });
  const session = runtime.openSession({ channel: "agent" });
  const [other, own] = [
    runtime.openSession({ channel: "agent", principal: "reviewer" }),
    runtime.openSession({ channel: "agent" }),
  ];
  // The call waits to enter the gate, and its session is halted meanwhile: it is refused without a record.
  const entering = Promise.withResolvers<void>();
  const spy = vi.spyOn(LoopTurns.prototype, "next").mockImplementationOnce(() => entering.promise);
  onTestFinished(() => spy.mockRestore());
  const identified = Promise.withResolvers<string>();
  const proposed = session.propose(call("quick"), { onIdentified: identified.resolve });
  const execution = await identified.promise;
  const waits = [other, own].map((one) => one.wait(execution).catch((error: unknown) => error));
  await runtime.haltSession({ session: session.id, reason: "a word for the principal alone", by: "uid:0" });
  entering.resolve();
  const reply = await proposed;
  expect(reply).toMatchObject({ record: null, error: { code: "FEMTO_SESSION_HALTED" } });
  const [told, toldOwn] = await Promise.all(waits);
  expect(toldOwn).toEqual(reply);
  expect(told).toMatchObject({ code: "FEMTO_EXECUTION_NOT_FOUND" });
});
