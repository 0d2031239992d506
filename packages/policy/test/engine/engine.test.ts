import type { FactQuestion } from "@femtoclaw/protocol";
import { beforeAll, describe, expect, it } from "vitest";
import { compilePolicy } from "../../src/index.ts";
import {
  activeEngine,
  any,
  authorityOf,
  handwritten,
  MANIFESTS,
  pathFacts,
  programFacts,
  type TestEngine,
  testEngine,
  word,
} from "../policy-fixture.ts";

const POLICY = compilePolicy({
  authority: authorityOf({
    read: ["/ws", "/data/file.txt"],
    write: ["/ws/out"],
    denyRead: ["/ws/secrets"],
    denyWrite: ["/ws/out/keep"],
    run: [any("/usr/bin/echo"), word("/usr/bin/git", "status", ["--short"])],
    denyRun: [word("/usr/bin/echo", "rude")],
    floor: ["/ws/femtoclaw.toml", "/state"],
    environmentNames: ["LANG", "PATH"],
  }),
  manifests: MANIFESTS,
  tools: [{ name: "clock_now", source: "option" }],
});

describe("decide", () => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await activeEngine(POLICY);
  });
  const ask = (capability: string, question: FactQuestion) => engine.decide({ principal: "s", capability, question });
  const outcome = (capability: string, question: FactQuestion) => {
    const decision = ask(capability, question);
    return decision.allowed ? decision.rules.join() : `${decision.code} ${decision.rules.join()}`.trim();
  };

  it.each([
    ["fs_read", "/ws", "toml/allow.read/1"],
    ["fs_read", "/ws/a/b", "toml/allow.read/1"],
    ["fs_list", "/ws/a", "toml/allow.read/1"],
    ["fs_read", "/data/file.txt", "toml/allow.read/2"],
    ["fs_read", "/data", "FEMTO_POLICY_NO_PERMIT"],
    ["fs_read", "/", "FEMTO_POLICY_NO_PERMIT"],
    ["fs_read", "/ws-evil/a", "FEMTO_POLICY_NO_PERMIT"],
    ["fs_read", "/WS/a", "FEMTO_POLICY_NO_PERMIT"],
    ["fs_read", "/wѕ/a", "FEMTO_POLICY_NO_PERMIT"],
    ["fs_write", "/ws/a", "FEMTO_POLICY_NO_PERMIT"],
    ["fs_write", "/ws/out/a", "toml/allow.write/1"],
    ["fs_read", "/ws/secrets", "FEMTO_POLICY_FORBIDDEN toml/deny.read/1"],
    ["fs_list", "/ws/secrets/x", "FEMTO_POLICY_FORBIDDEN toml/deny.read/1"],
    ["fs_write", "/ws/secrets/x", "FEMTO_POLICY_FORBIDDEN toml/deny.read/1"],
    ["fs_read", "/ws/secrets-not", "toml/allow.read/1"],
    ["fs_read", "/ws/out/keep/x", "toml/allow.read/1"],
    ["fs_write", "/ws/out/keep/x", "FEMTO_POLICY_FORBIDDEN toml/deny.write/1"],
    ["fs_read", "/ws/femtoclaw.toml", "FEMTO_POLICY_FORBIDDEN floor/own-files"],
    ["fs_read", "/state/journal/000001.log", "FEMTO_POLICY_FORBIDDEN floor/own-files"],
  ])("%s %s: %s", (capability, path, expected) => {
    expect(outcome(capability, pathFacts(path))).toBe(expected);
  });

  it.each([
    ["/usr/bin/echo", [], "toml/allow.run.echo/1"],
    ["/usr/bin/echo", ["hello", "-n"], "toml/allow.run.echo/1"],
    ["/usr/bin/echo", ["rude"], "FEMTO_POLICY_FORBIDDEN toml/deny.run.echo/1"],
    ["/usr/bin/echo", ["rude", "-n"], "FEMTO_POLICY_FORBIDDEN toml/deny.run.echo/1"],
    // The word hides behind an option, so it counts as the forbidden one.
    ["/usr/bin/echo", ["-n", "rude"], "FEMTO_POLICY_FORBIDDEN toml/deny.run.echo/1"],
    ["/usr/bin/git", ["status"], "toml/allow.run.git/1"],
    ["/usr/bin/git", ["status", "--short"], "toml/allow.run.git/1"],
    ["/usr/bin/git", ["status", "--long"], "FEMTO_POLICY_NO_PERMIT"],
    ["/usr/bin/git", ["push"], "FEMTO_POLICY_NO_PERMIT"],
    ["/usr/bin/git", [], "FEMTO_POLICY_NO_PERMIT"],
    ["/bin/echo", ["hello"], "FEMTO_POLICY_NO_PERMIT"],
  ])("process_exec %s %j: %s", (program, argv, expected) => {
    expect(outcome("process_exec", programFacts(program, argv))).toBe(expected);
  });

  it("lets a call set only what is listed, and PATH not even then", () => {
    const set = (...environment: string[]) =>
      outcome("process_exec", programFacts("/usr/bin/echo", [], { environment }));
    expect(set("LANG")).toBe("toml/allow.run.echo/1");
    for (const names of [["PATH"], ["LANG", "PATH"], ["LD_PRELOAD"], ["lang"], ["OTHER"]]) {
      expect(set(...names)).toBe("FEMTO_POLICY_FORBIDDEN floor/environment");
    }
  });

  it("permits a tool by its name and no other", () => {
    expect(outcome("clock_now", { kind: "tool" })).toBe("tools/clock_now");
    expect(outcome("clock_later", { kind: "tool" })).toBe("FEMTO_POLICY_ERROR");
    expect(outcome("CLOCK_NOW", { kind: "tool" })).toBe("FEMTO_POLICY_ERROR");
  });

  it("tells the model what decided, without what the allow list holds", () => {
    expect(ask("fs_read", pathFacts("/etc/passwd"))).toEqual({
      allowed: false,
      code: "FEMTO_POLICY_NO_PERMIT",
      rules: [],
      reason: "no rule permits this use of fs_read; other uses of it may be permitted",
    });
    expect(ask("fs_read", pathFacts("/ws/secrets"))).toMatchObject({
      reason: "the rule toml/deny.read/1 forbids this use of fs_read; other uses of it may be permitted",
    });
  });

  it("permits all questions or none", () => {
    const all = (...paths: string[]) =>
      engine.decideAll({ principal: "s", capability: "fs_read", questions: paths.map((path) => pathFacts(path)) });
    expect(all("/data/file.txt", "/ws/a", "/ws/b")).toEqual({
      allowed: true,
      rules: ["toml/allow.read/1", "toml/allow.read/2"],
    });
    expect(all("/ws/a", "/etc/passwd", "/ws/secrets")).toMatchObject({ code: "FEMTO_POLICY_NO_PERMIT" });
    expect(all()).toMatchObject({ allowed: false, code: "FEMTO_POLICY_ERROR" });
  });
});

describe("activate", () => {
  const question = pathFacts("/ws/a");
  const request = { principal: "s", capability: "fs_read", question };
  const permit = (path: string) => `permit (principal, action == Action::"fs_read", resource in Path::"${path}");`;

  it("denies everything before a policy is active", async () => {
    const engine = await testEngine();
    expect(engine.revision).toBeNull();
    expect(engine.decide(request)).toMatchObject({ allowed: false, code: "FEMTO_POLICY_ERROR" });
  });

  it("denies everything under an empty policy", async () => {
    const engine = await activeEngine(compilePolicy({ authority: authorityOf(), manifests: MANIFESTS }));
    expect(engine.decide(request)).toMatchObject({ allowed: false, code: "FEMTO_POLICY_NO_PERMIT" });
  });

  it("replaces one policy by the next, many times", async () => {
    const engine = await activeEngine(POLICY);
    const closed = compilePolicy({ authority: authorityOf({ read: ["/elsewhere"] }), manifests: MANIFESTS });
    for (let round = 0; round < 5; round += 1) {
      engine.activate(closed);
      expect(engine.decide(request).allowed).toBe(false);
      engine.activate(POLICY);
      expect(engine.decide(request).allowed).toBe(true);
    }
  });

  it.each([
    ["syntax", "permit (principal, action, resource"],
    ["unknown action", 'permit (principal, action == Action::"fs_raed", resource);'],
    ["unknown type", 'permit (principal, action, resource == File::"/ws");'],
    ["unknown fact", 'permit (principal, action == Action::"fs_read", resource) when { context.size > 1 };'],
    ["wrong type", 'permit (principal, action == Action::"fs_read", resource) when { context.bytes == "1" };'],
    [
      "unguarded optional fact",
      'permit (principal, action == Action::"process_exec", resource) when { context.word == "a" };',
    ],
    ["impossible rule, only a warning", 'permit (principal, action == Action::"fs_read", resource == Tool::"x");'],
    [
      "error when evaluated",
      'forbid (principal, action == Action::"fs_read", resource) when { context.bytes + 9223372036854775807 > 10 };',
    ],
  ])("refuses %s and keeps the active policy", async (_, text) => {
    const engine = await activeEngine(POLICY);
    expect(() => engine.activate(handwritten({ bad: text, good: permit("/") }))).toThrowError(
      expect.objectContaining({ code: "FEMTO_POLICY_INVALID" }),
    );
    expect(engine.revision).toBe(POLICY.revision);
    expect(engine.decide(request)).toEqual({ allowed: true, rules: ["toml/allow.read/1"] });
  });

  it("refuses rules that their revision does not name", async () => {
    const engine = await testEngine();
    const forged = { ...POLICY, rules: POLICY.rules.filter(({ id }) => !id.startsWith("toml/deny")) };
    expect(() => engine.activate(forged)).toThrow("the revision does not name these rules");
  });

  it("keeps two engines in one process apart", async () => {
    const open = await activeEngine(POLICY);
    const closed = await activeEngine(compilePolicy({ authority: authorityOf(), manifests: MANIFESTS }));
    expect(open.decide(request).allowed).toBe(true);
    expect(closed.decide(request).allowed).toBe(false);
  });
});
