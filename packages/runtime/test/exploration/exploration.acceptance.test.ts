/** Everything that can happen to a few calls in the gate is tried out; and a gate that is wrong is found to be. */
import { executionMachine } from "@femtoclaw/machines";
import { beforeAll, describe, expect, it } from "vitest";
import { createMachine } from "xstate";
import { exploreApprovals } from "./approvals.ts";
import { Base } from "./base.ts";
import { explore } from "./explore.ts";
import { SCENARIOS } from "./scenarios.ts";
import type { Appender } from "./trial.ts";

let base: Base;
beforeAll(async () => {
  base = await Base.create();
});

describe("every interleaving, with a crash in each state", () => {
  it.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))("of %s", async (_, scenario) => {
    const { states, steps, interleavings, recoveries } = await explore(base, scenario);
    // Fewer would mean that something is not explored any more.
    expect(states).toBeGreaterThan(100);
    expect(steps).toBeGreaterThan(states);
    expect(interleavings).toBeGreaterThan(150n);
    expect(recoveries).toBeGreaterThan(15);
  });

  it("of executions, approvals and policy revisions, on the pure machines", () => {
    expect(exploreApprovals(3).states).toBeGreaterThan(10_000);
  });
});

/** Says at once that the record is durable, which it is not yet. */
const early =
  (type: string): Appender =>
  (journal, entry) => {
    const appended = journal.append(entry);
    if (entry.type !== type) return appended;
    appended.catch(() => undefined);
    return Promise.resolve({ seq: journal.size, bytes: 0 });
  };

describe("a gate that is wrong is found out where it", () => {
  const calls = [{ tool: "work" }] as const;

  it("executes before the intent is durable", async () => {
    const wrong = explore(base, { name: "wrong", calls, append: early("execution.intent") });
    await expect(wrong).rejects.toThrow(
      /^I1: the effect of call 0 has no durable intent, after: propose 0; take facts/,
    );
  });

  it("answers before the outcome is durable", async () => {
    const wrong = explore(base, { name: "wrong", calls, append: early("execution.outcome") });
    await expect(wrong).rejects.toThrow(
      /^I1: the answer to call 0 names a record that is not durable, after: propose 0/,
    );
  });

  it("appends an intent twice", async () => {
    const twice: Appender = (journal, entry) => {
      if (entry.type === "execution.intent") journal.append(entry).catch(() => undefined);
      return journal.append(entry);
    };
    await expect(explore(base, { name: "wrong", calls, append: twice })).rejects.toThrow(/, after: propose 0/);
  });

  it("loses an outcome and answers all the same", async () => {
    const lossy: Appender = async (journal, entry) =>
      entry.type === "execution.outcome" ? { seq: journal.size - 1, bytes: 0 } : await journal.append(entry);
    await expect(explore(base, { name: "wrong", calls, append: lossy })).rejects.toThrow(
      "is answered completed, recorded",
    );
  });

  it("tells of a question before it is durable", async () => {
    const wrong = explore(base, { name: "wrong", calls: [{ tool: "asked" }], append: early("approval.asked") });
    await expect(wrong).rejects.toThrow(/^I1: the answer to call 0 names a question that is not durable/);
  });

  it("has a machine that takes an approval for a decision", () => {
    const { config, implementations } = executionMachine;
    const awaitingApproval = { on: { ...config.states?.["awaitingApproval"]?.on, granted: "intentCommitting" } };
    const wrong = createMachine(
      { ...config, states: { ...config.states, awaitingApproval } } as never,
      implementations as never,
    );
    expect(() => exploreApprovals(1, wrong)).toThrow(
      "I3: an effect begins from intentCommitting that no revision permitted",
    );
  });
});
