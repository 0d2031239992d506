/** Calls at once: none is decided on a past that its own place in the journal contradicts. */
import { type Runtime, recompute } from "@femtoclaw/runtime";
import { describe, expect, it, onTestFinished } from "vitest";
import { Barrier, call, capability, ofType, recordsOf } from "../runtime-fixture.ts";
import { codeOf, GUARDED, guardedHome, intentsOf, READ_SECRET, RUN, SLEEP } from "./history-fixture.ts";

async function start(options: Parameters<ReturnType<typeof guardedHome>["start"]>[0] = {}): Promise<Runtime> {
  const runtime = await guardedHome().start({ ...options, configuration: { ...GUARDED, ...options.configuration } });
  onTestFinished(() => runtime.close({ drainMs: 0 }));
  return runtime;
}

describe("calls that race with the one that reads a secret", () => {
  it("begin before it in the journal or not at all", async () => {
    for (let round = 0; round < 8; round += 1) {
      const runtime = await start();
      const sessions = Array.from({ length: 4 }, () => runtime.openSession({ channel: "agent" }));
      const calls = sessions.flatMap((session, at) =>
        Array.from({ length: 6 }, (_, n) => session.propose(at === 0 && n === round % 6 ? READ_SECRET : RUN)),
      );
      await Promise.all(calls);
      const records = await recordsOf(runtime.reader);
      const intents = intentsOf(records);
      const read = intents.find(({ tool }) => tool === "fs_read")?.seq ?? Number.NaN;
      expect(intents.filter(({ tool, seq }) => tool === "process_exec" && !(seq < read))).toEqual([]);
      expect(await codeOf(sessions[1] ?? expect.fail(), RUN)).toBe("FEMTO_POLICY_FORBIDDEN");
      expect(await recompute(runtime.reader)).toMatchObject({ verdict: "recomputed" });
      await runtime.close();
    }
  });

  it("are decided again when they have waited for their turn", async () => {
    const barrier = new Barrier(2);
    const waits = capability("waits", async () => {
      await barrier.arrive();
      return {};
    });
    const runtime = await start({ capabilities: [waits], configuration: { limits: { concurrency: 2 } } });
    const [busy, other] = [runtime.openSession({ channel: "agent" }), runtime.openSession({ channel: "agent" })];
    const running = [busy.propose(call("waits")), busy.propose(call("waits"))];
    await barrier.reached;
    // Permitted, and waiting for a place among the effects of its session.
    const waiting = busy.propose(RUN);
    expect(await codeOf(other, READ_SECRET)).toBe("done");
    barrier.open();
    await Promise.all(running);
    expect(await waiting).toMatchObject({ status: "denied", error: { code: "FEMTO_POLICY_FORBIDDEN" } });
    const [refusal] = ofType(await recordsOf(runtime.reader), "execution.refused");
    expect(refusal?.body).toMatchObject({ event: "denied", facts: { history: { calls: 2, has_read_secret: true } } });
  });

  it("and run already are ended, where they might not begin any more", async () => {
    const runtime = await start();
    const [one, other] = [runtime.openSession({ channel: "agent" }), runtime.openSession({ channel: "agent" })];
    const harmless = one.propose(call("process_exec", { bin: "sleep", argv: ["0"] }));
    expect(await harmless).toMatchObject({ status: "completed" });
    const running = one.propose(SLEEP);
    while (runtime.status().counters.completed + runtime.projection.open.size < 2) await new Promise(setImmediate);
    expect(await codeOf(other, READ_SECRET)).toBe("done");
    expect(await running).toMatchObject({
      status: "error",
      error: { code: expect.stringMatching(/^FEMTO_(CAPABILITY_CANCELLED|EXECUTION_HALTED)$/) as string },
    });
  });
});
