/** A call that was permitted, and admission closes, or its capability is disabled, before its effect begins. */
import type { PreparedEffect } from "@femtoclaw/capabilities";
import { DEFAULT_CHILD_LIMITS } from "@femtoclaw/sandbox";
import { expect, it } from "vitest";
import { newcomersShare } from "../../src/gate/admission/door.ts";
import { FairSlots } from "../../src/gate/admission/fair-slots.ts";
import { refusalShare, SessionQuota } from "../../src/gate/admission/session-quota.ts";
import { compileSchemas } from "../../src/gate/schemas/argument-validators.ts";
import type { Problem } from "../../src/gate/verdict.ts";
import { capability, ofType, recordsOf } from "../runtime-fixture.ts";
import { GateBench } from "./gate-bench.ts";

const UNWITNESSED: Problem = { code: "FEMTO_UNWITNESSED", reason: "a witness is behind" };
const FULL: Problem = { code: "FEMTO_DISK_FULL", reason: "the journal's disk is full" };

interface State {
  problem: Problem | null;
  enabled: boolean;
}

/** One call runs, and another one waits for its place among the effects. */
async function waiting() {
  const ended = Promise.withResolvers<void>();
  const effects: string[] = [];
  const first = capability("first", async () => {
    await ended.promise;
    return {};
  });
  const second = capability("second", () => ({ n: effects.push("second") }));
  const capabilities = [first, second];
  const schemas = compileSchemas(capabilities);
  const state: State = { problem: null, enabled: true };
  const bench = await GateBench.open(capabilities, {
    effects: new FairSlots({ slots: 1, slotsPerSession: 1, queue: 8 }),
    admission: () => state.problem,
    registered: (tool) => {
      const [found, compiled] = [capabilities.find(({ manifest }) => manifest.name === tool), schemas.get(tool)];
      if (found === undefined || compiled === undefined) return undefined;
      const limits = { timeoutMs: 10_000, outputBytes: 1_000, child: DEFAULT_CHILD_LIMITS };
      return { capability: found, ...compiled, ...limits, enabled: state.enabled };
    },
  });
  const running = bench.propose("first");
  const reply = bench.propose("second");
  await expect.poll(() => bench.gate.running).toBe(2);
  return { bench, state, effects, running, reply, end: ended.resolve };
}

it.each<[string, Partial<State>, string, string]>([
  ["admission closes", { problem: UNWITNESSED }, "FEMTO_EXECUTION_HALTED", "a witness is behind"],
  ["the disk is full", { problem: FULL }, "FEMTO_DISK_FULL", "the journal's disk is full"],
  [
    "its capability is disabled",
    { enabled: false },
    "FEMTO_EXECUTION_HALTED",
    "its capability was disabled while it waited",
  ],
])("gets no intent if %s while it waits for its place", async (_, then, code, reason) => {
  const { bench, state, effects, running, reply, end } = await waiting();
  Object.assign(state, then);
  end();
  await running;
  expect(await reply).toMatchObject({ status: "error", error: { code, reason } });
  expect(effects).toEqual([]);
  const intents = ofType(await recordsOf(bench.journal), "execution.intent");
  expect(intents.map(({ body }) => body.tool)).toEqual(["first"]);
});

it("has no effect if the disk is full once its intent is written", async () => {
  const effects: string[] = [];
  let problem: Problem | null = null;
  const bench: GateBench = await GateBench.open([capability("only", () => ({ n: effects.push("only") }))], {
    admission: () => problem,
    append: async (entry) => {
      const appended = await bench.journal.append(entry);
      if (entry.type === "execution.intent") problem = FULL;
      return appended;
    },
  });
  expect(await bench.propose("only")).toMatchObject({ status: "error", error: FULL });
  expect(effects).toEqual([]);
  const [outcome] = ofType(await recordsOf(bench.journal), "execution.outcome");
  expect(outcome?.body).toMatchObject({ event: "halted", began: false });
});

it("waits on if an operator says yes to it while no calls are taken", async () => {
  let problem: Problem | null = null;
  const asks = { allowed: false, rules: ["rule"], revision: "0".repeat(64), reason: "it asks", approvers: 1 } as const;
  const bench = await GateBench.open([capability("only")], {
    admission: () => problem,
    decide: () => ({ ...asks, code: "FEMTO_APPROVAL_REQUIRED" }),
  });
  const { approval } = await bench.propose("only");
  const waiting = bench.gate.questions.named(approval?.id ?? "");
  if (waiting === undefined) throw new Error("nothing is asked");
  problem = UNWITNESSED;
  const { seq, digest } = waiting;
  const answer = { id: String(seq), digest, answer: "granted", scope: "once", by: "uid:0" } as const;
  await expect(bench.gate.questions.answer(answer)).rejects.toMatchObject({ code: "FEMTO_UNWITNESSED" });
  expect(bench.gate.questions.open.get(seq)).toBe(waiting);
});

it("has no effect if operators said yes to it, and the time for that is over when it comes back", async () => {
  const effects: string[] = [];
  const revision = "0".repeat(64);
  const asks = { allowed: false, rules: ["rule"], revision, reason: "it asks", approvers: 1 } as const;
  const bench = await GateBench.open([capability("only", () => ({ n: effects.push("only") }))], {
    decide: ({ approved }) =>
      approved ? { allowed: true, rules: ["rule"], revision } : { ...asks, code: "FEMTO_APPROVAL_REQUIRED" },
  });
  const { approval } = await bench.propose("only");
  const waiting = bench.gate.questions.named(approval?.id ?? "");
  if (waiting === undefined) throw new Error("nothing is asked");
  const ended = bench.gate.wait(waiting.execution);
  bench.gate.resume({ ...waiting, granted: ["uid:0"], deadlineUs: 0 }, "granted", "");
  expect(await ended).toMatchObject({ status: "denied", error: { code: "FEMTO_APPROVAL_EXPIRED" } });
  expect(effects).toEqual([]);
});

it("has a record of its end if operators were asked about it, though its session may have no more records of refusals", async () => {
  const quota = new SessionQuota(refusalShare(0), 0, newcomersShare(0));
  while (quota.refuse(10_000, 0) === "record");
  const revision = "0".repeat(64);
  const asks = { allowed: false, rules: ["rule"], revision, reason: "it asks", approvers: 1 } as const;
  const bench = await GateBench.open([capability("only")], {
    decide: () => ({ ...asks, code: "FEMTO_APPROVAL_REQUIRED" }),
    quota: () => quota,
  });
  const { approval } = await bench.propose("only");
  const waiting = bench.gate.questions.named(approval?.id ?? "");
  if (waiting === undefined) throw new Error("nothing is asked");
  const ended = bench.gate.wait(waiting.execution);
  bench.gate.resume({ ...waiting, deadlineUs: 0 }, "expired", "");
  // Without a record, the next start would ask once more.
  expect(await ended).toMatchObject({ status: "denied", record: { seq: bench.journal.size - 1 } });
});

it("does not use what was prepared under limits that are no longer in force", async () => {
  const used: string[] = [];
  const plain = capability("only", () => ({ n: used.push("executed") }));
  const prepared: PreparedEffect = {
    execute: async () => ({ event: "succeeded", result: { n: used.push("prepared") }, sandbox: null }),
    [Symbol.dispose]: () => void used.push("disposed"),
  };
  const only = { ...plain, prepare: () => prepared };
  const schemas = compileSchemas([only]).get("only");
  if (schemas === undefined) throw new Error("its schemas are compiled");
  const bench = await GateBench.open([only], {
    registered: () => ({
      ...{ capability: only, ...schemas, enabled: true },
      ...{ timeoutMs: 10_000, outputBytes: 1_000, child: DEFAULT_CHILD_LIMITS },
    }),
  });
  expect(await bench.propose("only")).toMatchObject({ status: "completed" });
  expect(used).toEqual(["executed", "disposed"]);
});
