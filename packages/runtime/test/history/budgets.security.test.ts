/** What a session may use, against one that asks for all of it at once, and against a clock that is set. */
import type { Clock } from "@femtoclaw/journal";
import type { Configuration } from "@femtoclaw/protocol";
import { type Runtime, recompute, type Session, systemSurroundings } from "@femtoclaw/runtime";
import { describe, expect, it } from "vitest";
import {
  Barrier,
  call,
  capability,
  type Home,
  ofType,
  recordsOf,
  startRuntime,
  temporaryHome,
} from "../runtime-fixture.ts";
import { codeOf } from "./history-fixture.ts";

const quick = capability("quick", ({ args }) => ({ text: args["text"] ?? "" }));

async function withBudgets(budgets: Configuration["budgets"], more: Configuration = {}): Promise<Runtime> {
  return await startRuntime({ capabilities: [quick], configuration: { budgets, ...more } as Configuration });
}

async function codesOf(session: Session, calls: number, args = {}): Promise<string[]> {
  const codes = await Promise.all(Array.from({ length: calls }, () => codeOf(session, call("quick", args))));
  return codes.toSorted();
}

describe("a budget of calls", () => {
  it("is kept to the call by sixty at once, ends the session by record, and leaves others theirs", async () => {
    const home = temporaryHome();
    const start = () => home.start({ capabilities: [quick], configuration: { budgets: { calls: 5 } } });
    const runtime = await start();
    const [greedy, modest] = [runtime.openSession({ channel: "agent" }), runtime.openSession({ channel: "agent" })];
    const codes = await codesOf(greedy, 60);
    expect(codes.filter((code) => code === "done")).toHaveLength(5);
    expect(new Set(codes)).toEqual(new Set(["done", "FEMTO_BUDGET_EXCEEDED", "FEMTO_SESSION_HALTED"]));
    const denied = await runtime.openSession({ channel: "agent" }).propose(call("quick"));
    expect(denied.status).toBe("completed");
    expect(await greedy.propose(call("quick"))).toMatchObject({
      status: "error",
      record: null,
      error: { code: "FEMTO_SESSION_HALTED", reason: expect.stringContaining("budget/calls is used up") as string },
    });
    for (let n = 0; n < 5; n += 1) expect(await codeOf(modest, call("quick"))).toBe("done");
    expect(await modest.propose(call("quick"))).toMatchObject({
      status: "denied",
      decision: "DENIED_POLICY_VIOLATION",
      policy: { rules: ["budget/calls"] },
      error: { error_type: "AuthorizationError", code: "FEMTO_BUDGET_EXCEEDED" },
    });
    const records = await recordsOf(runtime.reader);
    expect(ofType(records, "execution.intent").filter(({ session }) => session === greedy.id)).toHaveLength(5);
    const halts = ofType(records, "session.halted");
    expect(halts.map(({ session, body }) => [session, body.code])).toEqual([
      [greedy.id, "FEMTO_BUDGET_EXCEEDED"],
      [modest.id, "FEMTO_BUDGET_EXCEEDED"],
    ]);
    await runtime.close();
    const again = await start();
    expect(again.projection.sessions.of(greedy.id)).toMatchObject({
      calls: 5,
      halted: { code: "FEMTO_BUDGET_EXCEEDED" },
    });
    expect(await recompute(again.reader)).toMatchObject({ verdict: "recomputed" });
    await again.close();
  });

  it("counts calls that fail, and none that never began", async () => {
    const fails = capability("fails", () => {
      throw new Error("broken");
    });
    const configuration: Configuration = { budgets: { calls: 3 } };
    const runtime = await startRuntime({ capabilities: [quick, fails], configuration });
    const session = runtime.openSession({ channel: "agent" });
    for (let n = 0; n < 5; n += 1) expect(await codeOf(session, call("nobody"))).toBe("FEMTO_CAPABILITY_NOT_FOUND");
    for (let n = 0; n < 3; n += 1) expect(await codeOf(session, call("fails"))).toBe("FEMTO_CAPABILITY_CONTAINED");
    expect(await codeOf(session, call("fails"))).toBe("FEMTO_BUDGET_EXCEEDED");
    expect(runtime.projection.sessions.of(session.id)).toMatchObject({ calls: 3, failures: 3, refusals: 6 });
  });
});

describe("a budget of bytes", () => {
  const limits = { output_bytes: 10_000 };

  it("is overdrawn by one call at the most, however many ask at once", async () => {
    const runtime = await withBudgets({ bytes: 100_000 }, { limits });
    const session = runtime.openSession({ channel: "agent" });
    for (let round = 0; round < 20; round += 1) await codesOf(session, 20, { text: "x".repeat(4_000) });
    const { bytes = 0, halted } = runtime.projection.sessions.of(session.id) ?? {};
    expect(bytes).toBeGreaterThanOrEqual(100_000);
    expect(bytes).toBeLessThan(100_000 + 2 * 4_100);
    expect(halted).toMatchObject({ code: "FEMTO_BUDGET_EXCEEDED" });
    expect(await recompute(runtime.reader)).toMatchObject({ verdict: "recomputed" });
  });

  it("that others of its calls hold only for now refuses a call, and halts nobody", async () => {
    const barrier = new Barrier(1);
    const waits = capability("waits", async () => {
      await barrier.arrive();
      return {};
    });
    const configuration: Configuration = { budgets: { bytes: 10_000 }, limits };
    const runtime = await startRuntime({ capabilities: [quick, waits], configuration });
    const session = runtime.openSession({ channel: "agent" });
    const running = session.propose(call("waits"));
    await barrier.reached;
    expect(await codeOf(session, call("quick"))).toBe("FEMTO_BUDGET_EXCEEDED");
    barrier.open();
    expect(await running).toMatchObject({ status: "completed" });
    expect(await codeOf(session, call("quick"))).toBe("done");
    expect(ofType(await recordsOf(runtime.reader), "session.halted")).toEqual([]);
  });
});

describe("a budget of seconds", () => {
  /** This machine's clock, with a wall that can be set and time that can pass. */
  class SetClock implements Clock {
    readonly #real = systemSurroundings().clock;
    wallUs = 0;
    passedUs = 0;
    nowUs = (): number => this.#real.nowUs() + this.wallUs + this.passedUs;
    monotonicUs = (): number => this.#real.monotonicUs() + this.passedUs;
    after = (...args: Parameters<Clock["after"]>): (() => void) => this.#real.after(...args);
  }

  async function startSet(home: Home, seconds: number): Promise<{ runtime: Runtime; clock: SetClock }> {
    const clock = new SetClock();
    const surroundings = { ...systemSurroundings(), clock };
    const configuration: Configuration = { budgets: { seconds } };
    return { clock, runtime: await home.start({ capabilities: [quick], configuration, surroundings }) };
  }

  it.each([
    ["time passes", { wallUs: 0, passedUs: 60e6 }],
    ["time passes and the wall's clock is set back by a day", { wallUs: -86_400e6, passedUs: 60e6 }],
    ["the wall's clock is set ahead", { wallUs: 86_400e6, passedUs: 0 }],
  ])("is over when %s", async (_what, change) => {
    const { runtime, clock } = await startSet(temporaryHome(), 60);
    const session = runtime.openSession({ channel: "agent" });
    expect(await codeOf(session, call("quick"))).toBe("done");
    clock.passedUs = 30e6;
    expect(await codeOf(session, call("quick"))).toBe("done");
    Object.assign(clock, change);
    expect(await codeOf(session, call("quick"))).toBe("FEMTO_BUDGET_EXCEEDED");
    expect(await codeOf(session, call("quick"))).toBe("FEMTO_SESSION_HALTED");
    await runtime.close();
  });
});
