/** In which trace a line about a call stands, where only an earlier record names the trace. */
import { Journal, type JournalEntry, systemClock } from "@femtoclaw/journal";
import { MACHINE_IDENTITIES } from "@femtoclaw/machines";
import { MemoryKeyring, MemoryStore } from "@femtoclaw/testing/in-memory";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readBatch } from "../src/batch.ts";
import { logFacts } from "../src/log-facts.ts";

const BOOT = "22222222-2222-4222-8222-222222222222";
const DIGEST = "0".repeat(64);
const TRACE = "0af7651916cd43dd8448eb211c80319c";
const trace = { traceparent: `00-${TRACE}-b7ad6b7169203331-01` };

let journal: Journal;
beforeEach(async () => {
  journal = await Journal.open({
    store: new MemoryStore(),
    keyring: new MemoryKeyring(),
    boot: BOOT,
    clock: systemClock(),
    machines: MACHINE_IDENTITIES,
  });
});
afterEach(() => journal.close());

const append = async (type: JournalEntry["type"], body: object): Promise<number> => {
  const about = { session: "11111111-1111-4111-8111-111111111111", execution: "traced" };
  return (await journal.append({ type, ...about, body } as JournalEntry)).seq;
};

/** The trace of each line about the call, by its event. */
async function tracesOfLines(): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (let next = 0; next < journal.size; ) {
    const { records, before, after } = await readBatch(journal, { next, version: null });
    for (const record of records) {
      const line = record.execution === null ? undefined : logFacts(record, before);
      if (line !== undefined) found[line.event] = line.traceId;
    }
    next = after.next;
  }
  return found;
}

test.each([
  ["beside it", 0],
  ["in an earlier batch", 600],
])("is that of the call, with what the line refers to %s", async (_, between) => {
  const pause = async (): Promise<void> => {
    const overload = { type: "overload.refused", session: null, execution: null } as const;
    for (let count = 0; count < between; count += 1) {
      await journal.append({ ...overload, body: { count: 1, code: "FEMTO_OVERLOADED" } });
    }
  };
  const call = {
    ...{ tool: "wait", capability: "1.0.0", args: {}, label: null, trace, facts: { questions: [{ kind: "tool" }] } },
    ...{ input_sha256: DIGEST, revision: DIGEST, rules: [] },
  };
  const question = await append("approval.asked", {
    ...{ ...call, approvers: 1, files: [], digest: DIGEST, expires_at: "2026-01-01T00:00:00.000Z", lifetime_ms: 1 },
  });
  await pause();
  await append("approval.answered", {
    ...{ tool: "wait", question, digest: DIGEST, answer: "granted", complete: true, scope: "once", reason: null },
    self_approvable: false,
  });
  const intent = await append("execution.intent", { ...call, received_us: 0 });
  await pause();
  const interrupted = await append("execution.interrupted", { tool: "wait", intent, boot: BOOT });
  await pause();
  await append("execution.resolved", { tool: "wait", interrupted, resolution: "done", reason: "it happened" });
  expect(await tracesOfLines()).toEqual({
    "femtoclaw.approval.asked": TRACE,
    "femtoclaw.approval.answered": TRACE,
    "femtoclaw.execution.interrupted": TRACE,
    "femtoclaw.execution.resolved": TRACE,
  });
});
