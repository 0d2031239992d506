/** Calls at once: none is decided on a past that its own place in the journal contradicts. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Configuration } from "@femtoclaw/protocol";
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

  it("are shown what the policy shows that they are decided by, also when another one came while they waited", async () => {
    const barrier = new Barrier(2);
    const waits = capability("waits", async () => {
      await barrier.arrive();
      return {};
    });
    const home = guardedHome();
    writeFileSync(join(home.root, "workspace/open.txt"), "to be closed");
    const configuration: Configuration = {
      ...GUARDED,
      capabilities: { ...GUARDED.capabilities, waits: true },
      limits: { concurrency: 2 },
      allow: { ...GUARDED.allow, run: { ...GUARDED.allow?.run, cat: ["*"] } },
    };
    const runtime = await home.start({ capabilities: [waits], configuration });
    onTestFinished(() => runtime.close({ drainMs: 0 }));
    const session = runtime.openSession({ channel: "agent" });
    const running = [session.propose(call("waits")), session.propose(call("waits"))];
    await barrier.reached;
    const cat = call("process_exec", { bin: "cat", argv: ["open.txt"] });
    const waiting = [session.propose(cat), session.propose(cat)];
    const closed = { ...configuration, deny: { read: ["workspace/open.txt"] } };
    const { revision } = await runtime.reload({ configuration: home.configuration(closed) }, "uid:0");
    barrier.open();
    await Promise.all(running);
    for (const reply of await Promise.all(waiting)) {
      const { stdout } = (reply.result ?? {}) as { readonly stdout?: string };
      // Which of the two decides is a matter of turns; what is shown follows from it.
      expect([reply.policy?.revision === revision, stdout]).toEqual(
        reply.policy?.revision === revision ? [true, ""] : [false, "to be closed"],
      );
    }
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
