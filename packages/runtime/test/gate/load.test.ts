/** More calls than there is room for: sessions share fairly, and what is refused is counted. */
import type { Reply } from "@femtoclaw/protocol";
import { describe, expect, it } from "vitest";
import { call, capability, ofType, recordsOf, startRuntime, temporaryHome } from "../runtime-fixture.ts";

describe("load", () => {
  it("of one session leaves others their turn", async () => {
    const runtime = await startRuntime({
      capabilities: [capability("quick")],
      configuration: { limits: { concurrency: 8 } },
    });
    const [flood, calm] = [runtime.openSession({ channel: "agent" }), runtime.openSession({ channel: "agent" })];
    const order: string[] = [];
    const note = (name: string) => (reply: Reply) => void order.push(reply.status === "completed" ? name : "refused");
    const flooding = Array.from({ length: 1_000 }, () => flood.propose(call("quick")).then(note("flood")));
    const calling = Array.from({ length: 10 }, () => calm.propose(call("quick")).then(note("calm")));
    await Promise.all([...flooding, ...calling]);
    expect(order).not.toContain("refused");
    expect(order.lastIndexOf("calm")).toBeLessThan(100);
    expect(order).toHaveLength(1_010);
  });

  it("beyond the queue is refused without a record of its own, and counted in one", async () => {
    const home = temporaryHome();
    const options = { capabilities: [capability("quick")], configuration: { limits: { concurrency: 2, queue: 5 } } };
    const runtime = await home.start(options);
    const session = runtime.openSession({ channel: "library" });
    const replies = await Promise.all(Array.from({ length: 50 }, () => session.propose(call("quick"))));
    const refused = replies.filter(({ record }) => record === null);
    expect(refused).toHaveLength(43);
    for (const reply of refused) {
      expect(reply).toMatchObject({ status: "error", decision: null });
      expect(reply.error).toMatchObject({ error_type: "SystemError", code: "FEMTO_OVERLOADED" });
      expect(await runtime.reader.locate(reply.execution_id)).toEqual([]);
    }
    await runtime.close();
    const again = await home.start(options);
    const summaries = ofType(await recordsOf(again.reader), "overload.refused");
    expect(summaries.map(({ body }) => body)).toEqual([{ count: 43, code: "FEMTO_OVERLOADED" }]);
    expect(again.projection.counters).toMatchObject({ completed: 7, overloaded: 43 });
    await again.close();
  });

  it("of one session beyond the queue leaves another its place", async () => {
    const runtime = await startRuntime({
      capabilities: [capability("quick")],
      configuration: { limits: { concurrency: 1, queue: 20 } },
    });
    const [flood, calm] = [runtime.openSession({ channel: "agent" }), runtime.openSession({ channel: "agent" })];
    const flooding = Array.from({ length: 200 }, () => flood.propose(call("quick")));
    const calling = Array.from({ length: 5 }, () => calm.propose(call("quick")));
    for (const reply of await Promise.all(calling)) expect(reply.status).toBe("completed");
    expect((await Promise.all(flooding)).filter(({ status }) => status === "completed").length).toBeGreaterThan(10);
  });
});
