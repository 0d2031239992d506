/** Those who wait for one execution are independent of each other: one may leave, and wait again. */
import type { ExecutionId, Reply } from "@femtoclaw/protocol";
import { expect, it } from "vitest";
import { AwaitedReplies } from "../../src/gate/questions/awaited-replies.ts";
import { call, capability, startRuntime } from "../runtime-fixture.ts";

const ID = "e" as ExecutionId;
const REPLY: Reply = { execution_id: ID, status: "completed", decision: "AUTHORIZED", record: { seq: 2 } };

it("whoever leaves waits no more, and all others hear of the end", async () => {
  const awaited = new AwaitedReplies();
  const leaving = new AbortController();
  const [one, other] = [awaited.of(ID, leaving.signal), awaited.of(ID)];
  const left = expect(one).rejects.toThrow("nobody waits");
  leaving.abort();
  await left;
  await expect(awaited.of(ID, leaving.signal)).rejects.toMatchObject({ name: "AbortError" });
  const late = awaited.of(ID);
  awaited.ended(ID, REPLY);
  expect(await Promise.all([other, late])).toEqual([REPLY, REPLY]);
});

it("whoever is to read a reply when the host has stopped is told to wait again after the next start", async () => {
  const runtime = await startRuntime({ capabilities: [capability("echo")] });
  const session = runtime.openSession({ channel: "library" });
  const { execution_id } = await session.propose(call("echo", {}));
  const next = async <T>(read: () => Promise<T>): Promise<T> => {
    await runtime.close();
    return await read();
  };
  await expect(session.wait(execution_id, { hasRoom: false, next })).rejects.toMatchObject({ code: "FEMTO_DRAINING" });
});

it("one that leaves last takes nothing from those who come after it", async () => {
  const awaited = new AwaitedReplies();
  const leaving = new AbortController();
  const one = awaited.of(ID, leaving.signal).catch(() => "left");
  leaving.abort();
  const next = awaited.of(ID);
  expect(await one).toBe("left");
  awaited.ended(ID, REPLY);
  expect(await next).toEqual(REPLY);
});

it("an end without a reply, and the end of the host, are told to all who wait", async () => {
  const awaited = new AwaitedReplies();
  const waiting = [awaited.of(ID), awaited.of(ID)].map((reply) => reply.catch((error: unknown) => error));
  const fault = new Error("fault");
  awaited.failed(ID, fault);
  expect(await Promise.all(waiting)).toEqual([fault, fault]);
  const stopped = expect(awaited.of(ID)).rejects.toMatchObject({ code: "FEMTO_DRAINING" });
  awaited.close();
  await stopped;
});
