/** What pruning refuses, what it leaves of an execution that it cuts through, and how a runtime starts from it. */

import { listExecutions, replay, showExecution } from "@femtoclaw/runtime";
import { expect, it } from "vitest";
import { Barrier, call, capability, recordsOf, temporaryHome } from "./runtime-fixture.ts";

it("waits for executions that have not ended, and shows one whose intent is gone as what is known of it", async () => {
  const home = temporaryHome();
  const barrier = new Barrier();
  const waits = capability("waits", async () => {
    await barrier.arrive();
    return { done: true };
  });
  const runtime = await home.start({ capabilities: [waits] });
  const session = runtime.openSession({ channel: "library" });
  const waiting = session.propose(call("waits"));
  await barrier.reached;
  for (let count = 0; count < 300; count += 1) await session.propose({ message: { content: `${count}` } });
  await expect(runtime.planPruning({ before: 256 })).rejects.toMatchObject({
    code: "FEMTO_PRUNE_REFUSED",
    message: expect.stringContaining("which has not ended"),
  });
  barrier.open();
  const { execution_id, record } = await waiting;
  await expect(runtime.planPruning({ before: 255 })).rejects.toMatchObject({ code: "FEMTO_PRUNE_REFUSED" });
  await expect(runtime.planPruning({ before: { olderThanMs: 3_600_000 } })).rejects.toMatchObject({
    code: "FEMTO_PRUNE_REFUSED",
  });
  expect(await runtime.planPruning({ before: { olderThanMs: 1 } })).toMatchObject({ before: 256, since: 0 });
  expect(await runtime.prune({ before: 256 }, "uid:0")).toEqual({ before: 256, since: 0, records: 255, keep: [0] });

  const [newest] = await listExecutions(runtime.reader, { limit: 1 });
  expect(newest).toMatchObject({ execution_id, tool: null, status: "completed", result: { done: true }, record });
  expect(newest?.pruned_intent).toBeLessThan(256);
  const shown = await showExecution(runtime.reader, execution_id);
  expect(shown?.records.map(({ type }) => type)).toEqual(["execution.outcome"]);
  const { phase, counters } = { phase: runtime.projection.phase, counters: runtime.projection.counters };
  await runtime.close();

  const again = await home.start({ capabilities: [waits] });
  expect(again.projection.phase).toBe(phase);
  expect(again.projection.counters).toEqual(counters);
  await expect(recordsOf(again.reader)).rejects.toMatchObject({ code: "FEMTO_JOURNAL_PRUNED" });
  const replayed = await replay(again.reader);
  expect(replayed.from).toBeGreaterThanOrEqual(256);
  expect(replayed.snapshotsEqual).toBeGreaterThan(0);
  expect(replayed.projection.snapshot()).toEqual(again.projection.snapshot());
  await again.close();
});
