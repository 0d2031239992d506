/** Attacks on what is remembered. The cases are data, so that one more is one more line. */

import { readFileSync } from "node:fs";
import type { FactQuestion } from "@femtoclaw/protocol";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { createPolicyEngine, DecisionShare, NO_HISTORY, type PolicyEngine } from "../../src/index.ts";
import { activeEngine, handwritten, pathFacts, programFacts } from "../policy-fixture.ts";

interface Ask {
  readonly capability: string;
  readonly principal?: string;
  readonly question: unknown;
  readonly approved?: boolean;
  readonly expect: string;
}

interface PoisoningCase {
  readonly name: string;
  readonly rules: Readonly<Record<string, string>>;
  /** Each is to get its own answer, whichever of the others was asked before. */
  readonly asks: readonly Ask[];
}

const CASES = readFileSync(new URL("corpus.jsonl", import.meta.url), "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as PoisoningCase);

describe("poisoning", () => {
  let engine: PolicyEngine;
  beforeAll(async () => {
    engine = await createPolicyEngine();
  });
  const answer = ({ capability, principal = "s", question, approved = false }: Ask, share: DecisionShare): string => {
    const decision = engine.decide({
      capability,
      principal,
      question: question as FactQuestion,
      history: NO_HISTORY,
      approved,
      share,
    });
    return decision.allowed ? "allowed" : decision.code;
  };

  it.each(CASES)("$name", ({ rules, asks }) => {
    engine.activate(handwritten(rules));
    for (const ask of asks) expect(answer(ask, new DecisionShare()), JSON.stringify(ask)).toBe(ask.expect);
    engine.project();
    // Each question first, and then all of them after it: forwards, backwards, and forwards again.
    for (const first of asks) {
      const share = new DecisionShare();
      expect(answer(first, share)).toBe(first.expect);
      for (const ask of [...asks, ...asks.toReversed(), ...asks]) {
        expect(answer(ask, share), JSON.stringify(ask)).toBe(ask.expect);
      }
    }
  });

  it("has a case for each of the answers", () => {
    const answers = new Set(CASES.flatMap(({ asks }) => asks.map((ask) => ask.expect)));
    expect([...answers].sort()).toEqual([
      "FEMTO_POLICY_ERROR",
      "FEMTO_POLICY_FORBIDDEN",
      "FEMTO_POLICY_NO_PERMIT",
      "allowed",
    ]);
  });
});

describe("a share", () => {
  const READ = 'permit (principal, action == Action::"fs_read", resource in Path::"/ws");';
  const RUN = 'permit (principal, action == Action::"process_exec", resource) when { context.cwd like "/ws*" };';
  const ask = (engine: PolicyEngine, share: DecisionShare, question: FactQuestion) =>
    engine.decide({
      principal: "s",
      history: NO_HISTORY,
      capability: question.kind === "path" ? "fs_read" : "process_exec",
      question,
      share,
    });
  /** What is kept anew had not been remembered. */
  const watched = () => {
    const share = new DecisionShare();
    return { share, keep: vi.spyOn(share, "keep") };
  };

  it("remembers, for one session, what it was answered", async () => {
    const engine = await activeEngine(handwritten({ READ, RUN }));
    const { share, keep } = watched();
    const [first, second] = [1, 2].map(() => ask(engine, share, pathFacts("/ws/a")));
    expect(second).toEqual(first);
    expect(keep).toHaveBeenCalledTimes(1);
    // No rule can tell this file from the other.
    expect(ask(engine, share, pathFacts("/ws/b/c", { bytes: 3 }))).toEqual(first);
    expect(keep).toHaveBeenCalledTimes(1);
  });

  it("loses nothing to another session, however much that one asks", async () => {
    const engine = await activeEngine(handwritten({ READ, RUN }));
    const { share, keep } = watched();
    const mine = [pathFacts("/ws/a"), pathFacts("/etc"), programFacts("/usr/bin/one", [])];
    const before = mine.map((question) => ask(engine, share, question));
    const flood = watched();
    for (let index = 0; index < 5_000; index += 1) {
      ask(engine, flood.share, programFacts("/usr/bin/one", [], { cwd: `/ws/${index}` }));
    }
    expect(flood.keep).toHaveBeenCalledTimes(5_000);
    keep.mockClear();
    expect(mine.map((question) => ask(engine, share, question))).toEqual(before);
    expect(keep).not.toHaveBeenCalled();
  });

  it("answers nothing from what another session asked", async () => {
    const engine = await activeEngine(handwritten({ READ }));
    const [one, two] = [watched(), watched()];
    ask(engine, one.share, pathFacts("/ws/a"));
    ask(engine, two.share, pathFacts("/ws/a"));
    expect(two.keep).toHaveBeenCalledTimes(1);
  });

  it("is empty under the next revision, and under the one before when that is active again", async () => {
    const engine = await activeEngine(handwritten({ READ }));
    const { share } = watched();
    expect(ask(engine, share, pathFacts("/ws/a")).allowed).toBe(true);
    engine.activate(handwritten({ READ: READ.replace("permit", "forbid") }));
    engine.project();
    expect(ask(engine, share, pathFacts("/ws/a")).allowed).toBe(false);
    engine.activate(handwritten({ READ }));
    engine.project();
    expect(ask(engine, share, pathFacts("/ws/a")).allowed).toBe(true);
  });

  it("remembers nothing before the policy is projected, and decides all the same", async () => {
    const engine = await createPolicyEngine();
    engine.activate(handwritten({ READ }));
    const { share, keep } = watched();
    const before = ask(engine, share, pathFacts("/ws/a"));
    engine.project();
    expect(keep).not.toHaveBeenCalled();
    expect(ask(engine, share, pathFacts("/ws/a"))).toEqual(before);
    expect(keep).toHaveBeenCalledTimes(1);
  });

  it("is of no use to another engine", async () => {
    const open = await activeEngine(handwritten({ READ }));
    const closed = await activeEngine(handwritten({ READ: READ.replace("permit", "forbid") }));
    const { share } = watched();
    for (let round = 0; round < 2; round += 1) {
      expect(ask(open, share, pathFacts("/ws/a")).allowed).toBe(true);
      expect(ask(closed, share, pathFacts("/ws/a")).allowed).toBe(false);
    }
  });

  it("is dropped with an instance that trapped", async () => {
    const chain = Array.from({ length: 450 }, (_, at) => `context.bytes == ${at + 10}`).join(" || ");
    const trap = `forbid (principal, action == Action::"fs_read", resource == Path::"/trap") when { ${chain} };`;
    const engine = await activeEngine(handwritten({ READ, trap }));
    const { share, keep } = watched();
    expect(ask(engine, share, pathFacts("/ws/a")).allowed).toBe(true);
    expect(ask(engine, share, pathFacts("/trap"))).toMatchObject({ code: "FEMTO_POLICY_ENGINE_FAILED" });
    expect(keep).toHaveBeenCalledTimes(1);
    expect(ask(engine, share, pathFacts("/ws/a")).allowed).toBe(true);
    expect(keep).toHaveBeenCalledTimes(2);
  });

  it("never holds what could not be decided, and each time is reported", async () => {
    const faults: string[] = [];
    const overflow = `forbid (principal, action == Action::"fs_read", resource) when { context.bytes * 4611686018427387904 < 0 };`;
    const engine = await activeEngine(handwritten({ READ, overflow }), (fault) => faults.push(fault));
    const { share, keep } = watched();
    for (let round = 0; round < 3; round += 1) {
      expect(ask(engine, share, pathFacts("/ws/a", { bytes: 2 }))).toMatchObject({
        code: "FEMTO_POLICY_ERROR",
        rules: ["overflow"],
      });
    }
    expect(keep).not.toHaveBeenCalled();
    await expect.poll(() => faults).toHaveLength(3);
  });

  it("cannot be changed through an answer", async () => {
    const engine = await activeEngine(handwritten({ READ }));
    const { share } = watched();
    const denial = ask(engine, share, pathFacts("/etc"));
    expect(() => Object.assign(denial, { allowed: true })).toThrow(TypeError);
    expect(() => (denial.rules as string[]).push("forged")).toThrow(TypeError);
    expect(ask(engine, share, pathFacts("/etc"))).toMatchObject({ allowed: false, rules: [] });
  });
});
