/** A call that was permitted, and admission closes, or its capability is disabled, before its effect begins. */
import { DEFAULT_CHILD_LIMITS } from "@femtoclaw/sandbox";
import { expect, it } from "vitest";
import { FairSlots } from "../../src/gate/admission/fair-slots.ts";
import { compileSchemas } from "../../src/gate/schemas/argument-validators.ts";
import type { Problem } from "../../src/gate/verdict.ts";
import { capability, ofType, recordsOf } from "../runtime-fixture.ts";
import { GateBench } from "./gate-bench.ts";

const UNWITNESSED: Problem = { code: "FEMTO_UNWITNESSED", reason: "a witness is behind" };
const FULL: Problem = { code: "FEMTO_DISK_FULL", reason: "the journal's disk is full" };

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
  const state = { problem: null as Problem | null, enabled: true };
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

it.each<[string, (state: { problem: Problem | null; enabled: boolean }) => void, string, string]>([
  ["admission closes", (state) => void (state.problem = UNWITNESSED), "FEMTO_EXECUTION_HALTED", "a witness is behind"],
  ["the disk is full", (state) => void (state.problem = FULL), "FEMTO_DISK_FULL", "the journal's disk is full"],
  [
    "its capability is disabled",
    (state) => void (state.enabled = false),
    "FEMTO_EXECUTION_HALTED",
    "its capability was disabled while it waited",
  ],
])("gets no intent if %s while it waits for its place", async (_, happens, code, reason) => {
  const { bench, state, effects, running, reply, end } = await waiting();
  happens(state);
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
