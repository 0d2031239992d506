/** What a record saves a start of: judging the rules anew, and nothing that keeps a decision from failing open. */

import { describe, expect, it } from "vitest";
import { compilePolicy, createPolicyEngine, NO_HISTORY, type PolicyEngine } from "../../src/index.ts";
import { any, authorityOf, handwritten, MANIFESTS, pathFacts, programFacts } from "../policy-fixture.ts";

const POLICY = compilePolicy({
  authority: authorityOf({ read: ["/ws"], denyRead: ["/ws/secret"], run: [any("/usr/bin/echo")], floor: ["/state"] }),
  manifests: MANIFESTS,
});
const OPEN = 'permit (principal, action == Action::"fs_read", resource in Path::"/ws");';

async function reactivated(policy: typeof POLICY): Promise<PolicyEngine> {
  const engine = await createPolicyEngine();
  engine.activate(policy, true);
  return engine;
}

const read = (engine: PolicyEngine, path: string) =>
  engine.decide({
    principal: "s",
    history: NO_HISTORY,
    capability: "fs_read",
    question: pathFacts(path, { bytes: 1 }),
  });

describe("a revision that was activated before", () => {
  it("decides like one that was validated", async () => {
    const [before, validated] = [await reactivated(POLICY), await createPolicyEngine()];
    validated.activate(POLICY);
    expect(before.revision).toBe(POLICY.revision);
    for (const path of ["/ws/a", "/ws/secret/a", "/state/a", "/etc/passwd", "/"]) {
      expect(read(before, path)).toEqual(read(validated, path));
    }
    for (const program of ["/usr/bin/echo", "/usr/bin/sh"]) {
      const question = programFacts(program, ["-n", "x"]);
      const request = { principal: "s", history: NO_HISTORY, capability: "process_exec", question };
      expect(before.decide(request)).toEqual(validated.decide(request));
    }
  });

  it("is still only what its revision names", async () => {
    const engine = await createPolicyEngine();
    const forged = { ...POLICY, rules: POLICY.rules.filter(({ id }) => !id.startsWith("toml/deny")) };
    expect(() => engine.activate(forged, true)).toThrow("the revision does not name these rules");
    expect(read(engine, "/ws/a").allowed).toBe(false);
  });
});

describe("a policy that has only answered its tests", () => {
  it("is judged when it is put in force, though the engine has read it", async () => {
    const engine = await createPolicyEngine();
    const flawed = handwritten({
      open: OPEN,
      flaw: 'forbid (principal, action == Action::"fs_read", resource == Path::"/ws/big") when { context.word == "x" };',
    });
    engine.load(flawed);
    expect(read(engine, "/ws/a").allowed).toBe(true);
    expect(() => engine.activate(flawed)).toThrowError(expect.objectContaining({ code: "FEMTO_POLICY_INVALID" }));
    engine.load(POLICY);
    engine.activate(POLICY);
    expect(read(engine, "/ws/secret/a")).toMatchObject({ allowed: false, code: "FEMTO_POLICY_FORBIDDEN" });
  });

  it("has its rules called by their names, in whatever order they are put in force", async () => {
    const engine = await createPolicyEngine();
    engine.load(POLICY);
    const turned = { ...POLICY, rules: [...POLICY.rules].reverse() };
    engine.activate(turned, true);
    const [rule] = POLICY.rules.filter(({ id }) => id.startsWith("toml/deny"));
    expect(read(engine, "/ws/secret/a")).toMatchObject({ allowed: false, rules: [rule?.id] });
  });
});

describe("a record that lies about a revision that no validation would pass", () => {
  it.each([
    ["text that is no rule", "permit (principal, action"],
    [
      "an error at the first decision",
      "forbid (principal, action, resource is Path) when { context.bytes + 9223372036854775807 > 10 };",
    ],
  ])("has %s refused all the same", async (_name, text) => {
    const engine = await createPolicyEngine();
    expect(() => engine.activate(handwritten({ open: OPEN, text }, ["/ws"]), true)).toThrowError(
      expect.objectContaining({ code: "FEMTO_POLICY_INVALID" }),
    );
    expect(read(engine, "/ws/a").allowed).toBe(false);
  });

  it.each([
    ["a forbid that errs", 'resource == Path::"/ws/big") when { context.bytes + 9223372036854775807 > 10 };'],
    ["a forbid on a fact that there is not", 'resource == Path::"/ws/big") when { context.word == "x" };'],
    ["a forbid of one kind with another", 'resource == Path::"/ws/big") when { context.bytes like "*" };'],
  ])("has %s denied where it errs", async (_name, rest) => {
    const engine = await reactivated(
      handwritten({ open: OPEN, bad: `forbid (principal, action == Action::"fs_read", ${rest}` }, ["/ws", "/ws/big"]),
    );
    expect(read(engine, "/ws/a").allowed).toBe(true);
    expect(read(engine, "/ws/big")).toMatchObject({ allowed: false, code: "FEMTO_POLICY_ERROR" });
  });
});
