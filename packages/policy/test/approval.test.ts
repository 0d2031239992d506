import { describe, expect, it } from "vitest";
import { compilePolicy } from "../src/index.ts";
import {
  activeEngine,
  authorityOf,
  MANIFESTS,
  pathFacts,
  programFacts,
  type TestEngine,
  word,
} from "./policy-fixture.ts";

const GIT = "/usr/bin/git";

const engineOf = (tables: Parameters<typeof authorityOf>[0]): Promise<TestEngine> =>
  activeEngine(compilePolicy({ authority: authorityOf(tables), manifests: MANIFESTS }));

const git = (...argv: string[]) => ({
  principal: "s",
  capability: "process_exec",
  question: programFacts(GIT, argv),
});

describe("a rule that asks", () => {
  it("asks before the call, permits after the yes, and denies what a yes would not lift", async () => {
    const engine = await engineOf({ run: [word(GIT, "status")], askRun: [word(GIT, "push")] });
    expect(engine.decide(git("status")).allowed).toBe(true);
    expect(engine.decide(git("push", "origin"))).toEqual({
      allowed: false,
      code: "FEMTO_APPROVAL_REQUIRED",
      rules: ["toml/ask.run.git/1", "toml/ask.run.git/1/granted"],
      approvers: 1,
      reason:
        "the rules toml/ask.run.git/1, toml/ask.run.git/1/granted ask an operator before this use of process_exec",
    });
    expect(engine.decide({ ...git("push", "origin"), approved: true })).toEqual({
      allowed: true,
      rules: ["toml/ask.run.git/1/granted"],
    });
    // Nobody is asked about what nothing would permit afterwards.
    for (const argv of [["push", "--force"], ["-C", "/ws", "push"], ["fetch"]]) {
      expect(engine.decide(git(...argv))).toMatchObject({ code: "FEMTO_POLICY_NO_PERMIT" });
    }
  });

  it("asks as many operators as the table says that it stands in, everybody's or an agent's", async () => {
    const authority = authorityOf({ run: [word(GIT, "status")], askRun: [word(GIT, "push")] });
    const none = { read: [], write: [], run: [] };
    const agents = { reviewer: { allow: {}, ask: { ...none, run: [word(GIT, "status")], approvers: 3 }, deny: none } };
    const ask = { ...authority.ask, approvers: 2 };
    const compiled = compilePolicy({ authority: { ...authority, ask, agents }, manifests: MANIFESTS });
    const engine = await activeEngine(compiled);
    const asked = (principal: string, ...argv: string[]) => engine.decide({ ...git(...argv), principal });
    expect(asked("s", "push")).toMatchObject({ code: "FEMTO_APPROVAL_REQUIRED", approvers: 2 });
    expect(asked("s", "status").allowed).toBe(true);
    expect(asked("reviewer", "status")).toMatchObject({ code: "FEMTO_APPROVAL_REQUIRED", approvers: 3 });
    const texts = compiled.rules
      .filter(({ approvers }) => approvers !== undefined)
      .map(({ text }) => text.split("\n")[0]);
    expect(texts.toSorted()).toEqual(['@approval("2")', '@approval("2")', '@approval("3")']);
  });

  it("stands in the way of a broader permit", async () => {
    const engine = await engineOf({ write: ["/ws"], askWrite: ["/ws/deploy"], denyWrite: ["/ws/deploy/keys"] });
    const write = (path: string, approved = false) =>
      engine.decide({ principal: "s", capability: "fs_write", question: pathFacts(path), approved });
    expect(write("/ws/a").allowed).toBe(true);
    expect(write("/ws/deploy/now")).toMatchObject({ code: "FEMTO_APPROVAL_REQUIRED", rules: expect.anything() });
    expect(write("/ws/deploy/now", true).allowed).toBe(true);
    for (const approved of [false, true]) {
      expect(write("/ws/deploy/keys/id", approved)).toMatchObject({
        code: "FEMTO_POLICY_FORBIDDEN",
        rules: ["toml/deny.write/1"],
      });
    }
  });

  it("asks for the option that is listed, and for the bare word where nothing else permits it", async () => {
    const listed = await engineOf({ askRun: [word(GIT, "push", ["--force"])] });
    for (const argv of [["push"], ["push", "--force"]]) {
      expect(listed.decide(git(...argv))).toMatchObject({ code: "FEMTO_APPROVAL_REQUIRED" });
    }
    const beside = await engineOf({ run: [word(GIT, "push")], askRun: [word(GIT, "push", ["--force"])] });
    expect(beside.decide(git("push")).allowed).toBe(true);
    expect(beside.decide(git("push", "--force"))).toMatchObject({ code: "FEMTO_APPROVAL_REQUIRED" });
    // An abbreviation is the same option to git, and none that the entry lists.
    expect(beside.decide(git("push", "--forc"))).toMatchObject({ code: "FEMTO_POLICY_NO_PERMIT" });
  });

  it("asks once for all questions of a call, and denies when one of them is denied", async () => {
    const engine = await engineOf({ read: ["/ws"], askRead: ["/data"], denyRead: ["/ws/secrets"] });
    const all = (approved: boolean, ...paths: string[]) =>
      engine.decideAll({
        principal: "s",
        capability: "fs_read",
        questions: paths.map((at) => pathFacts(at)),
        approved,
      });
    expect(all(false, "/ws/a", "/data/b")).toMatchObject({ code: "FEMTO_APPROVAL_REQUIRED", approvers: 1 });
    expect(all(true, "/ws/a", "/data/b").allowed).toBe(true);
    expect(all(false, "/data/b", "/ws/secrets/c")).toMatchObject({ code: "FEMTO_POLICY_FORBIDDEN" });
    expect(all(true, "/data/b", "/ws/secrets/c")).toMatchObject({ code: "FEMTO_POLICY_FORBIDDEN" });
  });

  it("takes a yes from nobody but its caller", async () => {
    const engine = await engineOf({ askRead: ["/data"] });
    const forged = { ...pathFacts("/data/b"), approved: true };
    expect(engine.decide({ principal: "s", capability: "fs_read", question: forged })).toMatchObject({
      code: "FEMTO_POLICY_ERROR",
    });
  });
});
