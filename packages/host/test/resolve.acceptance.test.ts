/** An operator looks at what a killed host left open, and says what became of it. */
import type { ExecutionView } from "@femtoclaw/protocol";
import { expect, test } from "vitest";
import { Playground } from "./playground.ts";

async function untilOpen(place: Playground, count: number): Promise<void> {
  await using operator = await place.operator();
  for (;;) {
    const views = await operator.executions({ limit: 10, status: "pending" });
    if (views.length === count) return;
  }
}

const interruptedOf = (place: Playground) =>
  place.json<ExecutionView[]>(["executions", "list", "--state", "interrupted"]);

test("an interrupted execution is counted, resolved once, and shown with its resolution", async () => {
  await using place = new Playground();
  const host = await place.up();
  const calls = [1, 2].map(() => place.propose("process_exec", { bin: "sleep", argv: ["60"] }));
  const lost = Promise.allSettled(calls);
  await untilOpen(place, 2);
  host.kill("SIGKILL");
  await host.ended;
  await lost;
  expect((await place.up()).ready).toMatchObject({ unresolved: 2, waiting: 0 });

  const status = await place.run(["status"]);
  expect(status.stdout).toContain("2 interrupted and unresolved");
  expect(status.stdout).toContain("femtoclaw executions resolve");
  const [first, second] = (await interruptedOf(place)).value;
  const id = first?.execution_id ?? "";
  const resolve = (...args: string[]) => place.run(["executions", "resolve", id, ...args]);
  // Nothing is said by halves.
  for (const args of [["--done"], ["--reason", "r"], ["--done", "--not-done", "--reason", "r"]]) {
    expect((await resolve(...args)).code, args.join(" ")).toBe(64);
  }
  expect((await resolve("--done", "--reason", " ")).code).toBe(65);
  const { code, stdout } = await resolve("--not-done", "--reason", "nothing slept");
  expect({ code, stdout }).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^resolved as not-done in record \d+/),
  });
  const again = await resolve("--done", "--reason", "second thoughts");
  expect(again.code).toBe(65);
  expect(again.stderr).toContain("FEMTO_EXECUTION_NOT_UNRESOLVED");
  expect((await place.run(["executions", "resolve", "nobody", "--done", "--reason", "r"])).code).toBe(1);

  expect((await place.json<{ unresolved: number }>(["status"])).value.unresolved).toBe(1);
  expect((await interruptedOf(place)).value).toMatchObject([
    { execution_id: id, resolution: { resolution: "not-done", reason: "nothing slept" } },
    { execution_id: second?.execution_id },
  ]);
  const shown = await place.run(["executions", "show", id]);
  expect(shown.stdout).toMatch(/resolved +not-done by uid:\d+ at .*: nothing slept/);
  expect(shown.stdout).toContain("execution.resolved");
  await place.down();

  // Without a host there is nobody to say it to, and the journal still tells what was said.
  expect((await place.run(["executions", "resolve", id, "--done", "--reason", "r"])).code).toBe(69);
  expect((await interruptedOf(place)).value.map(({ resolution }) => resolution?.resolution)).toEqual([
    "not-done",
    undefined,
  ]);
  expect((await place.run(["audit", "verify"])).code).toBe(0);
  expect((await place.run(["replay"])).code).toBe(0);
  // Whoever starts a host hears of what nobody else would tell.
  const { code: exit, stderr } = await place.run(["up", "--detach"]);
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: expect.stringMatching(/^1 interrupted and unresolved: look/) });
  expect((await place.run(["down"])).code).toBe(0);
});
