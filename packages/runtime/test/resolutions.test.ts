/** What an operator says about interrupted executions: once, of those only, and nothing is run by it. */
import { LIMITS } from "@femtoclaw/protocol";
import { listExecutions, type Runtime, replay, showExecution } from "@femtoclaw/runtime";
import { describe, expect, it, onTestFinished } from "vitest";
import { Unresolved } from "../src/projection/unresolved.ts";
import { Barrier, call, capability, type Home, ofType, recordsOf, temporaryHome } from "./runtime-fixture.ts";

const BY = "uid:1000";
const none = (): Promise<never> => Promise.reject(new Error("nothing is run in this life"));
const idle = [capability("waits", none)];

/** A home whose last life was cut off while three executions ran, and a runtime in it. */
async function afterCrash(): Promise<{ home: Home; runtime: Runtime; executions: string[] }> {
  const home = temporaryHome();
  const barrier = new Barrier(3);
  const waits = capability("waits", async () => {
    await barrier.arrive();
    return {};
  });
  const first = await home.start({ capabilities: [waits] });
  const session = first.openSession({ channel: "agent" });
  const running = [1, 2, 3].map((n) => session.propose(call("waits", { n })));
  await barrier.reached;
  const crash = home.losePower();
  barrier.open();
  await Promise.all(running);
  await first.close();
  crash();
  const runtime = await home.start({ capabilities: idle });
  onTestFinished(() => runtime.close());
  return { home, runtime, executions: [...runtime.projection.unresolved.keys()] };
}

describe("an interrupted execution", () => {
  it("waits until an operator has said what became of it, over restarts and in snapshots", async () => {
    const { home, runtime, executions } = await afterCrash();
    expect(executions).toHaveLength(3);
    expect(runtime.status()).toMatchObject({ unresolved: 3, counters: { interrupted: 3 } });
    const [first = "", second = ""] = executions;
    const seq = await runtime.resolveExecution({ execution: first, resolution: "done", reason: " seen ", by: BY });
    const resolved = ofType(await recordsOf(runtime.reader), "execution.resolved");
    expect(resolved).toMatchObject([{ seq, execution: first, body: { resolution: "done", reason: "seen" } }]);
    expect(resolved[0]?.actor?.principal).toBe(BY);
    expect(runtime.status().unresolved).toBe(2);
    await runtime.close();
    const again = await home.start({ capabilities: idle });
    expect([...again.projection.unresolved.keys()]).toEqual(executions.slice(1));
    await again.resolveExecution({ execution: second, resolution: "not-done", reason: "the file is there", by: BY });
    const views = await listExecutions(again.reader, { limit: 10, status: "interrupted" });
    const told = new Map(views.map(({ execution_id, resolution }) => [execution_id, resolution?.resolution]));
    expect(told).toEqual(new Map([...executions.entries()].map(([n, id]) => [id, ["done", "not-done", undefined][n]])));
    const shown = await showExecution(again.reader, first);
    expect(shown?.view).toMatchObject({
      status: "interrupted",
      resolution: { resolution: "done", reason: "seen", seq },
    });
    // The reply still names the record in which the execution ended.
    expect(shown?.view.record?.seq).toBe(shown?.records.find(({ type }) => type === "execution.interrupted")?.seq);
    expect((await replay(again.reader)).projection.unresolved).toEqual(again.projection.unresolved);
    await again.close();
  });

  it("is resolved once, and nothing else is", async () => {
    const { runtime, executions } = await afterCrash();
    const [id = ""] = executions;
    const request = { execution: id, resolution: "done", reason: "r", by: BY } as const;
    const answers = await Promise.allSettled([1, 2, 3, 4].map(() => runtime.resolveExecution(request)));
    expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "rejected"]);
    await expect(runtime.resolveExecution({ ...request, resolution: "not-done" })).rejects.toMatchObject({
      code: "FEMTO_EXECUTION_NOT_UNRESOLVED",
      exit: 65,
      message: expect.stringContaining("was resolved as done by uid:1000 in record"),
    });
    const session = runtime.openSession({ channel: "agent" });
    const denied = await session.propose(call("nobody"));
    await expect(runtime.resolveExecution({ ...request, execution: denied.execution_id })).rejects.toMatchObject({
      code: "FEMTO_EXECUTION_NOT_UNRESOLVED",
      message: expect.stringContaining("is denied, not interrupted"),
    });
    for (const execution of ["", "no such", "__proto__", "x".repeat(100_000)]) {
      await expect(runtime.resolveExecution({ ...request, execution })).rejects.toMatchObject({
        code: "FEMTO_EXECUTION_NOT_FOUND",
      });
    }
    await expect(runtime.resolveExecution({ ...request, reason: " \n" })).rejects.toMatchObject({ exit: 65 });
    expect(ofType(await recordsOf(runtime.reader), "execution.resolved")).toHaveLength(1);
    expect(runtime.status()).toMatchObject({ phase: "idle", unresolved: 2 });
  });

  it("gets a reason that is short and shows on a terminal as it is", async () => {
    const { runtime, executions } = await afterCrash();
    const reason = `\u001b[2J\u202e${"x".repeat(2 * LIMITS.reasonChars)}`;
    await runtime.resolveExecution({ execution: executions[0] ?? "", resolution: "done", reason, by: BY });
    const [record] = ofType(await recordsOf(runtime.reader), "execution.resolved");
    expect(record?.body.reason).toMatch(/^\\u\{1b\}\[2J\\u\{202e\}x+…$/);
    expect(record?.body.reason.length).toBeLessThan(LIMITS.reasonChars + 20);
  });
});

it("keeps the newest of those that wait, however many crashes there were", () => {
  const waiting = new Unresolved();
  for (let seq = 0; seq < LIMITS.unresolved + 2; seq += 1) {
    waiting.add(`e${seq}`, { seq, tool: "t", session: null });
  }
  expect(waiting.all.size).toBe(LIMITS.unresolved);
  expect([...waiting.all.keys()].at(0)).toBe("e2");
  expect([...waiting.all.keys()].at(-1)).toBe(`e${LIMITS.unresolved + 1}`);
});
