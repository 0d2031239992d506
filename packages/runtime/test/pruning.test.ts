/** What pruning refuses, what it leaves of an execution that it cuts through, and how a runtime starts from it. */

import { mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { proveSnapshot, TilesReader, TilesSource, verifyLog } from "@femtoclaw/journal";
import { listExecutions, type Runtime, recompute, replay, replayDifference, showExecution } from "@femtoclaw/runtime";
import { copyState } from "@femtoclaw/testing";
import { expect, it } from "vitest";
import { Barrier, call, capability, recordsOf, startRuntime, temporaryHome } from "./runtime-fixture.ts";

async function fill(runtime: Runtime, messages = 300): Promise<void> {
  const session = runtime.openSession({ channel: "library" });
  for (let count = 0; count < messages; count += 1) await session.propose({ message: { content: `${count}` } });
}

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
  await expect(runtime.retention.planPruning({ before: 256 })).rejects.toMatchObject({
    code: "FEMTO_PRUNE_REFUSED",
    message: expect.stringContaining("which has not ended"),
  });
  barrier.open();
  const { execution_id, record } = await waiting;
  await expect(runtime.retention.planPruning({ before: 255 })).rejects.toMatchObject({ code: "FEMTO_PRUNE_REFUSED" });
  await expect(runtime.retention.planPruning({ before: { olderThanMs: 3_600_000 } })).rejects.toMatchObject({
    code: "FEMTO_PRUNE_REFUSED",
    fix: "No record is that old. Name a later boundary, or wait.",
  });
  expect(await runtime.retention.planPruning({ before: { olderThanMs: 1 } })).toMatchObject({ before: 256, since: 0 });
  expect(await runtime.retention.prune({ before: 256 }, "uid:0")).toEqual({
    before: 256,
    since: 0,
    records: 255,
    keep: [0],
  });

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

it("takes nothing for a boundary that is none, because it would drop nearly everything", async () => {
  const runtime = await startRuntime();
  await fill(runtime);
  const odd: unknown[] = [{}, { olderThanMs: Number.NaN }, { olderThanMs: "1" }, "1", [], Number.NaN, 0.5, -1, null];
  for (const before of odd) {
    const refused = expect(runtime.retention.prune({ before } as never, "uid:0")).rejects;
    await refused.toMatchObject({ code: "FEMTO_SOCKET_REQUEST" });
  }
  expect(await runtime.reader.prunedBefore()).toBe(0);
});

it("waits for executions whose outcome nobody has said", async () => {
  const home = temporaryHome();
  const barrier = new Barrier();
  const waits = capability("waits", async () => {
    await barrier.arrive();
    return {};
  });
  const first = await home.start({ capabilities: [waits] });
  const waiting = first.openSession({ channel: "library" }).propose(call("waits"));
  await barrier.reached;
  const crash = home.losePower();
  barrier.open();
  await waiting;
  await first.close();
  crash();
  const runtime = await home.start({ capabilities: [waits] });
  await fill(runtime);
  const [execution = ""] = runtime.projection.unresolved.keys();
  await expect(runtime.retention.planPruning({ before: 256 })).rejects.toMatchObject({
    code: "FEMTO_PRUNE_REFUSED",
    message: expect.stringContaining(execution),
  });
  await runtime.resolveExecution({ execution, resolution: "done", reason: "seen", by: "uid:0" });
  expect(await runtime.retention.planPruning({ before: 256 })).toMatchObject({ before: 256 });
  await runtime.retention.prune({ before: 256 }, "uid:0");
  // Only the word about it is left, and still says what is known.
  const known = { execution_id: execution, status: "interrupted", resolution: { resolution: "done", reason: "seen" } };
  expect((await showExecution(runtime.reader, execution))?.view).toMatchObject(known);
  expect(await listExecutions(runtime.reader, { limit: 1, status: "interrupted" })).toMatchObject([known]);
  await runtime.close();
});

it("leaves a log that is forked, recomputed, proved, compared and copied from its oldest snapshot on", async () => {
  const home = temporaryHome();
  const runtime = await home.start({ snapshotEveryRecords: 100 });
  await fill(runtime, 600);
  await runtime.retention.prune({ before: 300 }, "uid:0");
  await fill(runtime, 10);
  const gone = expect.objectContaining({ code: "FEMTO_JOURNAL_PRUNED" });
  const oldest = await runtime.reader.oldestSnapshot();
  const seq = oldest?.seq ?? 0;
  const last = runtime.reader.size - 1;
  expect(seq).toBeGreaterThanOrEqual(255);
  await expect(runtime.fork(seq - 1, join(home.root, "earlier"))).rejects.toEqual(gone);
  await expect(replayDifference(runtime.reader, 20, last)).rejects.toEqual(gone);
  expect(await replayDifference(runtime.reader, seq, last)).not.toEqual([]);

  // From below the record that tells of the pruning too: the old log stands beside the fork with that record.
  const { directory, vkey } = await runtime.fork(seq, join(home.root, "fork"));
  const old = join(directory, "epochs", "1");
  const verdict = await verifyLog({ source: new TilesSource(old) });
  expect(verdict).toMatchObject({ verdict: "incomplete", prunedBefore: 256 });
  expect(vkey).not.toBe(verdict.keys.at(-1)?.vkey);
  const exported = await TilesReader.open(old);
  const [newest = 0] = await exported.snapshots();
  expect(await proveSnapshot(exported, newest, verdict.keys.at(-1)?.vkey ?? "")).toMatchObject({ ok: true });
  for (const reader of [exported, runtime.reader]) {
    const from = await reader.oldestSnapshot();
    expect(from).not.toBeNull();
    const found = await recompute(reader, from === null ? {} : { from });
    expect(found).toMatchObject({ verdict: "recomputed", records: reader.size - (from?.seq ?? 0) - 1 });
    expect((await replay(reader)).projection.snapshot()).toEqual(found.actors);
    await expect(recompute(reader)).rejects.toEqual(gone);
  }
  await runtime.close();

  const forked = await home.start({ configuration: { memory: { path: "fork" } } });
  expect(forked.status().parent).toMatchObject({ reason: "fork", size: seq + 1 });
  await forked.close();

  copyState(home.state, join(home.root, "copied"));
  const copied = await home.start({ configuration: { memory: { path: "copied" } } });
  expect(copied.status().parent).toMatchObject({ reason: "copy" });
  await copied.close();
});

it("writes down first which boot is the last one, where its start could not, so that the next goes on", async () => {
  const home = temporaryHome();
  await (await home.start()).close();
  const obstacle = join(home.state, "identity.new");
  mkdirSync(obstacle);
  const runtime = await home.start();
  await fill(runtime);
  await expect(runtime.retention.prune({ before: 256 }, "uid:0")).rejects.toMatchObject({
    code: "FEMTO_JOURNAL_WRITE_FAILED",
  });
  rmdirSync(obstacle);
  await runtime.retention.prune({ before: 256 }, "uid:0");
  const { log } = runtime.status();
  await runtime.close();
  const again = await home.start();
  expect(again.status().log).toBe(log);
  expect(again.reader.size).toBeGreaterThan(256);
  await again.close();
});
