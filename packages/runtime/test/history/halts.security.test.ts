/** The kill switches: the word of an operator is honoured before every effect, and stays. */
import { type Runtime, recompute } from "@femtoclaw/runtime";
import { describe, expect, it, onTestFinished } from "vitest";
import { Barrier, call, capability, ofType, recordsOf, temporaryHome } from "../runtime-fixture.ts";
import { codeOf } from "./history-fixture.ts";

const by = "uid:0";

/** Effects that began, and one that ends when it is asked to. */
function effects() {
  const began: string[] = [];
  const barrier = new Barrier(1);
  const obedient = capability("obedient", async ({ signal }) => {
    began.push("obedient");
    await Promise.race([barrier.arrive(), new Promise((_, reject) => signal.addEventListener("abort", reject))]);
    return {};
  });
  const counted = capability("counted", () => ({ n: began.push("counted") }));
  return { began, barrier, capabilities: [obedient, counted] };
}

async function start(parts: ReturnType<typeof effects>, home = temporaryHome()): Promise<Runtime> {
  const configuration = { limits: { concurrency: 1 } };
  const runtime = await home.start({ capabilities: parts.capabilities, configuration });
  onTestFinished(() => runtime.close({ drainMs: 0 }));
  return runtime;
}

describe("a session that an operator halts", () => {
  it("is over: what runs is cancelled, what waits never begins, and others go on", async () => {
    const parts = effects();
    const home = temporaryHome();
    const runtime = await start(parts, home);
    const [hostile, honest] = [runtime.openSession({ channel: "agent" }), runtime.openSession({ channel: "agent" })];
    const running = hostile.propose(call("obedient"));
    await parts.barrier.reached;
    const waiting = [hostile.propose(call("counted")), hostile.propose(call("counted"))];
    await new Promise(setImmediate);
    const { seq, stopped } = await runtime.haltSession({ session: hostile.id, reason: "it \u202edeletes", by });
    expect(stopped).toBeGreaterThanOrEqual(2);
    expect(await running).toMatchObject({ status: "error", error: { code: "FEMTO_CAPABILITY_CANCELLED" } });
    for (const reply of await Promise.all(waiting)) {
      expect(reply.error?.code).toMatch(/^FEMTO_(SESSION|EXECUTION)_HALTED$/);
    }
    expect(await hostile.propose(call("counted"))).toMatchObject({
      status: "error",
      decision: null,
      record: null,
      error: { code: "FEMTO_SESSION_HALTED", reason: expect.stringContaining(`in record ${seq}`) as string },
    });
    expect(parts.began).toEqual(["obedient"]);
    expect(await codeOf(honest, call("counted"))).toBe("done");
    expect(runtime.status().sessions).toMatchObject([
      { id: honest.id, calls: 1, halted: null },
      { id: hostile.id, calls: 1, failures: 1, halted: "FEMTO_SESSION_HALTED" },
    ]);
    // Said again it changes nothing.
    expect(await runtime.haltSession({ session: hostile.id, by })).toEqual({ seq, stopped: 0 });
    await runtime.close();

    const again = await start(effects(), home);
    const halts = ofType(await recordsOf(again.reader), "session.halted");
    expect(halts).toMatchObject([
      { seq, session: hostile.id, actor: { principal: by, channel: "operator" }, body: { recorded: 0 } },
    ]);
    expect(halts[0]?.body.reason).toBe("an operator halted it: it \\u{202e}deletes");
    expect(again.projection.sessions.of(hostile.id)?.halted?.seq).toBe(seq);
    expect(await again.haltSession({ session: hostile.id, by })).toEqual({ seq, stopped: 0 });
    expect(await recompute(again.reader)).toMatchObject({ verdict: "recomputed" });
  });

  it("begins nothing between its decision and its effect, at whatever turn the word comes", async () => {
    for (let turns = 0; turns < 24; turns += 1) {
      const parts = effects();
      const runtime = await start(parts);
      const session = runtime.openSession({ channel: "agent" });
      const proposed = session.propose(call("counted"));
      for (let turn = 0; turn < turns; turn += 1)
        await (turn % 2 === 0 ? Promise.resolve() : new Promise(setImmediate));
      const halted = runtime.haltSession({ session: session.id, by });
      const beganBefore = parts.began.length;
      await Promise.all([proposed, halted]);
      expect(parts.began.length, `after ${turns} turns`).toBe(beganBefore);
      await runtime.close();
    }
  });

  it("may be one without a record, and must be one that is known", async () => {
    const runtime = await start(effects());
    const quiet = runtime.openSession({ channel: "agent" });
    await expect(runtime.haltSession({ session: "nobody\u001b[2J", by })).rejects.toMatchObject({
      code: "FEMTO_SESSION_NOT_FOUND",
      message: expect.not.stringContaining("\u001b") as string,
    });
    await runtime.haltSession({ session: quiet.id, by });
    expect(await codeOf(quiet, call("counted"))).toBe("FEMTO_SESSION_HALTED");
    const gone = runtime.openSession({ channel: "agent" });
    gone.close();
    await expect(runtime.haltSession({ session: gone.id, by })).rejects.toMatchObject({
      code: "FEMTO_SESSION_NOT_FOUND",
    });
  });
});

describe("a session that is halted because all that it sends is refused", () => {
  it("begins nothing of what it was permitted before and what waits", async () => {
    const parts = effects();
    const runtime = await start(parts);
    const session = runtime.openSession({ channel: "agent" });
    const running = session.propose(call("obedient"));
    await parts.barrier.reached;
    const waiting = session.propose(call("counted"));
    const refused = call("nobody", { text: "x".repeat(600) });
    while (runtime.projection.sessions.of(session.id)?.halted == null) {
      await Promise.all(Array.from({ length: 50 }, () => session.propose(refused)));
    }
    parts.barrier.open();
    // Nobody said that what runs is to end.
    expect(await running).toMatchObject({ status: "completed" });
    expect(await waiting).toMatchObject({ status: "error", error: { code: "FEMTO_SESSION_HALTED" } });
    expect(parts.began).toEqual(["obedient"]);
    expect(await recompute(runtime.reader)).toMatchObject({ verdict: "recomputed" });
  });
});

describe("a runtime that ends at once", () => {
  it("begins nothing between decision and effect either", async () => {
    for (let turns = 0; turns < 24; turns += 2) {
      const parts = effects();
      const runtime = await start(parts);
      const session = runtime.openSession({ channel: "agent" });
      const proposed = session.propose(call("counted"));
      for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
      const closing = runtime.close();
      runtime.hurry();
      const beganBefore = parts.began.length;
      await Promise.all([proposed, closing]);
      expect(parts.began.length, `after ${turns} turns`).toBe(beganBefore);
    }
  });
});
